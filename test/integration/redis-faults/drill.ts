/**
 * One drill: a fleet counts while Redis is struck. A moment before is marked, then goes on long enough for checkpoints to
 * pass it; what a fault takes away lies between the mark and the strike. At the end every count must equal the truth.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { systemClock as clock } from '../../../runtime/clock.ts';
import { FaultProxy } from '../../chaos/fault-proxy.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { DrilledFleet, SETTLE_MS, until } from './drilled-fleet.ts';
import { DrilledShards } from './drilled-shards.ts';
import { RedisFront } from './redis-front.ts';
import { RedisNode } from './redis-node.ts';

/** Servers of a drill. */
export interface Surroundings {
  readonly node: RedisNode;
  /** Ends with the drill. */
  readonly others: RedisNode[];
  readonly endings: (() => Promise<void>)[];
}

/** What a fault has in hand. */
export interface Lab extends Surroundings {
  /** Before the node; the fleet reaches it through `proxy`, unless it is led elsewhere. */
  readonly front: RedisFront;
  readonly proxy: FaultProxy;
  readonly fleet: DrilledFleet;
  readonly shards: DrilledShards;
  readonly random: ReturnType<typeof seededRandom>;
}

export interface RedisFault {
  readonly name: string;
  readonly nodeArgs?: readonly string[];
  /** More servers around the node, and the URL by which the fleet finds them. */
  readonly surround?: (surroundings: Surroundings) => Promise<string>;
  /** At the mark. What it gives, the strike gets. */
  readonly mark?: (lab: Lab) => Promise<unknown>;
  readonly strike: (lab: Lab, marked: unknown) => Promise<void>;
  /** Does it take away more than settling covers? Then rows fall behind checkpoints, and are healed. */
  readonly losesSettled: boolean | 'perhaps';
}

export interface DrillReport {
  readonly name: string;
  readonly seed: number;
  readonly records: number;
  /** Records that the ledger had, slot by slot, and has not any more. */
  readonly lost: number;
  readonly healed: number;
  readonly replayed: number;
  /** From the end of the strike until no row was behind its checkpoint. */
  readonly healMs: number;
  readonly counted: Readonly<Record<string, number>>;
  readonly truth: Readonly<Record<string, number>>;
}

const SHARDS = 3;
const FEED_MS = 20;
const BETWEEN_MS = 4 * SETTLE_MS;

export async function drill(fault: RedisFault, seed: number): Promise<DrillReport> {
  const random = seededRandom(seed);
  const shards = new DrilledShards(SHARDS, clock, random);
  const node = await new RedisNode(fault.nodeArgs).start();
  const front = await new RedisFront(node.port).start();
  const proxy = new FaultProxy(front.url, clock);
  await proxy.start();
  const surroundings: Surroundings = { node, others: [], endings: [] };
  const url = (await fault.surround?.(surroundings)) ?? proxy.url;
  const fleet = new DrilledFleet(url, shards);
  const lab: Lab = { ...surroundings, front, proxy, fleet, shards, random };
  const feeding = new AbortController();
  const fed = feed(shards, random, feeding.signal);
  try {
    await fleet.start();
    await until('bound leases', () => [...fleet.rows.values()].every(({ ledgerId }) => ledgerId !== undefined));
    await until('some records', async () => (await fleet.committed()) > 300);
    const marked = await fault.mark?.(lab);
    await sleep(BETWEEN_MS + random.int(300));
    await finishOne(lab);
    const before = await fleet.committed();
    await fault.strike(lab, marked);
    const struckMs = clock.monotonicMs();
    const lost = before - (await lowest(() => fleet.committed(), before));
    const healing = until('healed rows', async () => (await fleet.behind()) === 0).then(
      () => clock.monotonicMs() - struckMs,
    );
    await sleep(500);
    feeding.abort();
    await fed;
    const healMs = await healing;
    await until('everything to be checkpointed', () => fleet.isDone());
    const counted = Object.fromEntries(await fleet.ledger.totals());
    const { healed, replayed } = fleet.counts;
    return {
      name: fault.name,
      seed,
      records: shards.records,
      lost,
      healed,
      replayed,
      healMs,
      counted,
      truth: shards.truth(),
    };
  } finally {
    feeding.abort();
    await fed;
    await fleet.stop();
    for (const end of lab.endings) await end();
    await proxy.stop();
    await front.stop();
    for (const each of [node, ...lab.others]) await each.stop();
  }
}

export function isExact({ counted, truth }: DrillReport): boolean {
  return isDeepStrictEqual(counted, truth);
}

/** What the fault should not have been able to do; undefined when the promises of the protocol were kept. */
export function wrongWith(fault: RedisFault, report: DrillReport): string | undefined {
  if (!isExact(report)) {
    return `counted ${JSON.stringify(report.counted)} in place of ${JSON.stringify(report.truth)}`;
  }
  if (fault.losesSettled === 'perhaps') return undefined;
  if (!fault.losesSettled)
    return report.healed === 0 ? undefined : `${report.healed} records healed where none were lost`;
  // Where others decide when to fail over, the loss may be healed before it can be measured.
  if (!fault.surround && report.lost === 0) return 'Redis lost nothing: the fault struck beside';
  return report.healed > 0 ? undefined : 'nothing was healed';
}

async function feed(shards: DrilledShards, random: Lab['random'], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const shard of shards.all) if (!shard.log.isEnded) shards.put(shard, random.int(5));
    await sleep(FEED_MS);
  }
}

/** The first shard ends between mark and strike: nobody holds it when its end is lost. */
async function finishOne({ fleet, shards }: Lab): Promise<void> {
  const { key, log } = shards.all[0]!;
  log.end([]);
  await until('a finished shard', () => fleet.rows.get(key)?.checkpoint.kind === 'SHARD_END');
}

/** The least that is seen while Redis comes back; it soon grows again. */
async function lowest(look: () => Promise<number>, start: number): Promise<number> {
  let least = start;
  await until('an answer', async () => {
    least = Math.min(least, await look());
    return true;
  });
  return least;
}
