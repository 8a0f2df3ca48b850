/**
 * How long a shard's records are not counted while its owner changes, or while it is split: a whole fleet as processes of
 * this machine under load, with Kinesis's limit of 5 reads per second and shard, its ledger's rows seen from outside every
 * 10 ms. By environment: MOVES, KILLS, QUIET_KILLS (kills where no signals are), SPLITS. Run: `node bench/gaps.ts`.
 */
import { SplitShardCommand } from '@aws-sdk/client-kinesis';
import { Redis } from 'ioredis';
import { isFinished, type Lease } from '../lease/lease.ts';
import { exitOnSignals } from '../local/child.ts';
import { Stage } from '../local/stage.ts';
import { systemClock as clock } from '../runtime/clock.ts';
import type { LogLine } from '../test/support/gap-logs.ts';
import { type Change, explain } from '../test/support/gap-phases.ts';
import { GapSampler } from '../test/support/gap-sampler.ts';
import { figuresOf, gapTable } from '../test/support/gap-table.ts';

exitOnSignals();
const wanted = (name: string, fallback: number): number => Number(process.env[name] ?? fallback);
const MOVES = wanted('MOVES', 200);
const KILLS = wanted('KILLS', 60);
const QUIET_KILLS = wanted('QUIET_KILLS', 20);
const SPLITS = wanted('SPLITS', 12);
const WORKERS = 3;
const SHARDS = 6;
const RECORDS_PER_SECOND = SHARDS * 65;
const ENDLESS = 10_000_000;
const QUIET_MS = 1_500;
const PATIENCE_MS = 60_000;

/** A fleet under load and under observation. */
class Watched {
  readonly stage: Stage;
  readonly sampler: GapSampler;
  readonly #lines: LogLine[];

  private constructor(stage: Stage, sampler: GapSampler, lines: LogLine[]) {
    this.stage = stage;
    this.sampler = sampler;
    this.#lines = lines;
  }

  static async start(settings: Readonly<Record<string, string>> = {}): Promise<Watched> {
    const lines: LogLine[] = [];
    const onLine = (line: string): void => {
      if (line.startsWith('{')) lines.push(JSON.parse(line) as LogLine);
    };
    const stage = await Stage.start({ clock, shards: SHARDS, settings, onLine });
    try {
      await Promise.all([stage.fleet.startController(), stage.fleet.scale(WORKERS)]);
      const load = { records: ENDLESS, ratePerSecond: RECORDS_PER_SECOND, seed: 1, duplicateShare: 0, garbageShare: 0 };
      // It is ended with the stage, in the middle of its work.
      stage.produce(load).catch(() => undefined);
      const watched = new Watched(stage, await GapSampler.start(new Redis(stage.servers.redisUrl)), lines);
      await watched.untilQuiet();
      return watched;
    } catch (error) {
      await stage.abort();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.sampler.stop();
    await this.stage.abort();
  }

  changes(kind: Change['kind']): Change[] {
    const explained = this.sampler.gaps.map((gap) => explain(gap, this.#lines)).filter((one) => one !== undefined);
    return explained.filter((change) => change.kind === kind);
  }

  /** Every open shard has a worker that runs, no lease was moved for a while, and every row moves. */
  async untilQuiet(): Promise<void> {
    const deadlineMs = clock.monotonicMs() + PATIENCE_MS;
    while (clock.monotonicMs() < deadlineMs) {
      await clock.sleep(200);
      const moved = this.#lines.findLast(({ message }) => message === 'lease moved')?.time ?? 0;
      if (Date.now() - moved < QUIET_MS) continue;
      const open = (await this.leases()).filter((lease) => !isFinished(lease));
      const standing = new Set(this.sampler.standing(1_000).map((field) => field.split(' ')[1]));
      const isRead = ({ key }: Lease): boolean => this.sampler.records(key) !== undefined && !standing.has(key);
      // A worker that has nothing yet is about to get something.
      const owned = new Set(open.map(({ owner }) => owner));
      const isShared = owned.size >= Math.min(open.length, this.stage.fleet.workers.length);
      if (isShared && open.every((lease) => this.#isAtWork(lease) && isRead(lease))) return;
    }
    throw new Error('the fleet did not become quiet');
  }

  leases(): Promise<Lease[]> {
    return this.stage.stores.leases.readAll();
  }

  #isAtWork({ owner, checkpointOwner }: Lease): boolean {
    const isOwner = ({ name }: { readonly name: string }): boolean => owner?.startsWith(`${name}-`) === true;
    return checkpointOwner === undefined && this.stage.fleet.workers.some(isOwner);
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function handoffs(watched: Watched): Promise<void> {
  const { fleet } = watched.stage;
  while (watched.changes('handoff').length < MOVES) {
    await fleet.scale(WORKERS + 2);
    await watched.untilQuiet();
    await fleet.scale(WORKERS);
    await watched.untilQuiet();
  }
  const all = watched.changes('handoff');
  say(gapTable('handoff by scaling', all));
  for (const reason of new Set(all.map((change) => change.reason))) {
    say(
      gapTable(
        `  of these: ${reason}`,
        all.filter((change) => change.reason === reason),
      ),
    );
  }
  say(`  failovers meanwhile: ${watched.changes('failover').length}`);
}

/** Of each kill the slowest shard: that is when the last one is counted again. */
async function kills(watched: Watched, title: string, count: number): Promise<void> {
  const { fleet } = watched.stage;
  const slowest: Change[] = [];
  const all: Change[] = [];
  while (slowest.length < count) {
    const known = new Set(watched.changes('failover').map(({ gap }) => gap));
    const victim = fleet.workers[slowest.length % fleet.workers.length]!;
    await fleet.kill(victim);
    await watched.untilQuiet();
    const fresh = watched.changes('failover').filter(({ gap }) => !known.has(gap));
    all.push(...fresh);
    slowest.push(...fresh.toSorted((a, b) => b.gapMs - a.gapMs).slice(0, 1));
    await fleet.scale(WORKERS);
    await watched.untilQuiet();
  }
  say(gapTable(`${title}, the slowest shard of each kill`, slowest));
  say(gapTable(`${title}, every shard`, all));
}

/** From the parent's last record to the first of each child. */
async function splits(watched: Watched): Promise<void> {
  const gaps: number[] = [];
  for (let split = 0; split < SPLITS; split++) {
    const open = (await watched.leases()).filter((lease) => !isFinished(lease));
    const width = (lease: Lease): bigint => BigInt(lease.endingHashKey ?? 0) - BigInt(lease.startingHashKey ?? 0);
    const parent = open.toSorted((a, b) => (width(b) > width(a) ? 1 : -1))[0]!;
    await watched.stage.kinesis.send(
      new SplitShardCommand({
        StreamName: watched.stage.stream,
        ShardToSplit: parent.shardId,
        NewStartingHashKey: String((BigInt(parent.startingHashKey ?? 0) + BigInt(parent.endingHashKey ?? 0)) / 2n),
      }),
    );
    const children = await childrenAtWork(watched, parent);
    const { lastMs } = watched.sampler.records(parent.key)!;
    gaps.push(...children.map(({ key }) => watched.sampler.records(key)!.firstMs - lastMs));
    await watched.untilQuiet();
  }
  const { n, min, median, p95, p99, max } = figuresOf(gaps);
  say(`split, the parent's last record to a child's first, milliseconds`);
  const shown = Object.entries({ min, median, p95, p99, max }).map(([name, ms]) => `${name} ${ms.toFixed(0)}`);
  say(`  n ${n}, ${shown.join(', ')}`);
}

async function childrenAtWork(watched: Watched, parent: Lease): Promise<Lease[]> {
  const deadlineMs = clock.monotonicMs() + PATIENCE_MS;
  while (clock.monotonicMs() < deadlineMs) {
    await clock.sleep(500);
    const children = (await watched.leases()).filter(({ parents }) => parents.includes(parent.shardId));
    if (children.length === 2 && children.every(({ key }) => watched.sampler.records(key))) return children;
  }
  throw new Error(`the children of ${parent.shardId} are not read`);
}

async function watching(work: (watched: Watched) => Promise<void>, settings?: Readonly<Record<string, string>>) {
  const watched = await Watched.start(settings);
  try {
    await work(watched);
    const { median, max } = figuresOf(watched.sampler.spacingsMs);
    say(`  sampled every ${median.toFixed(0)} ms (at most ${max.toFixed(0)})\n`);
  } finally {
    await watched.stop();
  }
}

if (MOVES > 0) await watching(handoffs);
if (KILLS > 0) await watching((watched) => kills(watched, `failover after kill -9`, KILLS));
if (SPLITS > 0) await watching(splits);
if (QUIET_KILLS > 0) {
  await watching((watched) => kills(watched, 'failover after kill -9 without signals', QUIET_KILLS), {
    SIGNALS: 'off',
  });
}
