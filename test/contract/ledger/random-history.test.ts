/**
 * Random histories of calls, given to the reference and to Redis step by step: every answer, every row and every
 * total must be the same. Among the calls are zombies, repeated attempts, wrong chains and layouts; and now and then
 * both lose the tail of a slot. LEDGER_SEED repeats a run.
 */
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { START } from '../../../lease/position.ts';
import type {
  CommitRequest,
  Ledger,
  LedgerJob,
  LedgerReader,
  LedgerSpec,
  OnConnection,
} from '../../../ledger/ledger.ts';
import { createLedgerConnection, type LedgerConnection } from '../../../ledger/redis/connection.ts';
import { createRedisLedger } from '../../../ledger/redis/redis-ledger.ts';
import { createRedisLedgerJob } from '../../../ledger/redis/redis-ledger-job.ts';
import { createReferenceLedger, emptyReferenceState, type ReferenceState } from '../../../ledger/reference.ts';
import { createReferenceLedgerJob } from '../../../ledger/reference-job.ts';
import { commitRequest, ledgerSpec, SHARD } from '../../support/ledger-builder.ts';
import { hasRedisServer, type RedisServer, startRedisServer } from '../../support/redis-server.ts';
import { type KeptSlot, keepSlot, loseTail } from '../../support/redis-slot-image.ts';
import { type SeededRandom, seededRandom, seedOfThisRun } from '../../support/seeded-random.ts';
import { RandomRequests } from './random-requests.ts';

const CALLS_PER_HISTORY = 5_200;
const HISTORIES: readonly (Partial<LedgerSpec> & { readonly name: string })[] = [
  { name: 'history.time-1', bucketBy: 'time', slots: 2 },
  { name: 'history.time-2', bucketBy: 'time', slots: 1 },
  { name: 'history.hash-1', bucketBy: 'hash', slots: 2 },
  { name: 'history.hash-2', bucketBy: 'hash', slots: 1 },
];

const EVERY_ANSWER = [
  ...['open opened', 'open fenced', 'open missing'],
  ...['commit ok', 'commit applied', 'commit stale', 'commit fenced', 'commit layout'],
  ...['advance ok', 'advance applied', 'advance stale', 'advance fenced'],
  ...['job opened', 'job fenced', 'forget ok', 'forget held', 'forget stale', 'sweep ok', 'sweep stale'],
];

/** Only redis-server can serialize a key, as a lost tail needs. */
const canKeepSlots = hasRedisServer();

let server: RedisServer;
let connection: LedgerConnection;

beforeAll(async () => {
  server = await startRedisServer();
  connection = createLedgerConnection({ url: server.url });
  await connection.ready();
  // A script that is not loaded yet takes two round trips, and the rows would be read between them.
  const ledger = createRedisLedger(ledgerSpec({ name: 'history.loads-scripts' }), connection);
  await ledger.open({ shard: SHARD, slot: 0, generation: 1, start: START });
  await ledger.commit(commitRequest({}));
  await ledger.advance(0, []);
  const job = createRedisLedgerJob(ledgerSpec({ name: 'history.loads-scripts' }), connection);
  await job.openJob(0, 1);
  await job.forget(0, 1, 0, []);
  await job.sweep(0, 1, { period: 0, buckets: 1 }, 0);
});

afterAll(async () => {
  connection.close();
  await server.stop();
});

type Whole = Ledger & LedgerReader & LedgerJob;
type Both = readonly [reference: Whole, redis: Whole];

class History {
  readonly #random: SeededRandom;
  readonly #requests: RandomRequests;
  readonly #state: ReferenceState;
  readonly #both: Both;
  readonly #spec: LedgerSpec;
  #sent: CommitRequest[] = [];
  #kept: KeptSlot | undefined;

  readonly #kinds: Map<string, number>;

  constructor(spec: LedgerSpec, seed: number, kinds: Map<string, number>) {
    this.#kinds = kinds;
    this.#spec = spec;
    this.#random = seededRandom(seed);
    this.#requests = new RandomRequests(this.#random, spec.slots);
    this.#state = emptyReferenceState(spec.slots);
    this.#both = [
      { ...createReferenceLedger(spec, this.#state), ...createReferenceLedgerJob(spec, this.#state) },
      { ...createRedisLedger(spec, connection), ...createRedisLedgerJob(spec, connection) },
    ];
  }

  async step(): Promise<void> {
    this.#requests.pass();
    const dice = this.#random.next();
    if (dice < 0.1) await this.#open();
    else if (dice < 0.25) await this.#advance();
    else if (dice < 0.35 && this.#sent.length > 0) await this.#commit(this.#repeated());
    else if (dice < 0.352 && canKeepSlots)
      this.#kept = await keepSlot(this.#spec.name, this.#requests.slot(), this.#state, connection);
    else if (dice < 0.354 && this.#kept) await loseTail(this.#kept, this.#state, connection);
    else if (dice < 0.364) await this.#work();
    else await this.#commit(this.#requests.commit(this.#state));
  }

  async #open(): Promise<void> {
    const request = this.#requests.open(this.#state);
    const answer = await this.#same((ledger) => ledger.open(request), request.slot);
    this.#tally(`open ${answer.kind}`);
  }

  async #advance(): Promise<void> {
    const slot = this.#requests.slot();
    const requests = this.#requests.advance(this.#state, slot);
    const { answers } = await this.#same((ledger) => ledger.advance(slot, requests), slot);
    for (const { kind } of answers) this.#tally(`advance ${kind}`);
  }

  async #commit(request: CommitRequest): Promise<void> {
    const answer = await this.#same((ledger) => ledger.commit(request), request.slot);
    this.#tally(`commit ${answer.kind}`);
    this.#sent = [...this.#sent.slice(-20), request];
  }

  /** The ledger job claims the slot, forgets a period, and sweeps what is forgotten. */
  async #work(): Promise<void> {
    const slot = this.#requests.slot();
    const { generation, period, unfinished } = this.#requests.forget(this.#state, slot);
    const opened = await this.#same((ledger) => ledger.openJob(slot, generation), slot);
    this.#tally(`job ${opened.kind}`);
    // Of several that hold it, either may be named.
    const forgot = await this.#same(async (ledger) => {
      const { kind } = await ledger.forget(slot, generation, period, unfinished);
      return { kind };
    }, slot);
    this.#tally(`forget ${forgot.kind}`);
    if (this.#random.chance(0.3)) return;
    for (const { buckets, ...layout } of opened.kind === 'opened' ? opened.layouts : []) {
      if (buckets === undefined) continue;
      const swept = await this.#same((ledger) => ledger.sweep(slot, generation, { ...layout, buckets }, 0), slot);
      this.#tally(`sweep ${swept.kind}`);
    }
  }

  #tally(kind: string): void {
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
  }

  /** The answer was lost: mostly of the last attempt, at times of one long ago. */
  #repeated(): CommitRequest {
    return this.#random.chance(0.7) ? this.#sent.at(-1)! : this.#random.pick(this.#sent);
  }

  async #same<A extends object>(call: (ledger: Whole) => Promise<A>, slot: number): Promise<A> {
    const seen = await Promise.all(
      this.#both.map(async (ledger) => {
        // Asked in this order on one connection, and so answered: after the call.
        const asked = [call(ledger), ledger.rows(slot), ledger.totals()] as const;
        const [{ connection: _, ...answer }, rows, totals] = (await Promise.all(asked)) as [
          A & Partial<OnConnection>,
          ...unknown[],
        ];
        return { answer, rows, totals };
      }),
    );
    // Comparing by `expect` alone costs several times more.
    if (!isDeepStrictEqual(seen[1], seen[0])) expect(seen[1]).toStrictEqual(seen[0]);
    return seen[0]!.answer as unknown as A;
  }

  /** What no answer shows: each period's members are as many as its count says, in the buckets planned. */
  async assessBuckets(): Promise<void> {
    for (const [slot, { periods }] of this.#state.slots.entries()) {
      for (const [period, { identities, buckets }] of periods) {
        const keys = Array.from({ length: buckets }, (_, k) => `{${this.#spec.name}.${slot}}:id:${period}:${k}`);
        const sizes = await Promise.all(keys.map((key) => connection.client.scard(key)));
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(identities);
      }
    }
  }
}

// The stand-in takes half a minute and more.
describe('the ledger in Redis', { timeout: 240_000 }, () => {
  it('equals the reference in every answer, row and total of random histories', async () => {
    const seed = seedOfThisRun();
    process.stdout.write(`LEDGER_SEED=${seed}\n`);
    const kinds = new Map<string, number>();

    const play = async (spec: LedgerSpec, ownSeed: number): Promise<void> => {
      const history = new History(spec, ownSeed, kinds);
      for (let call = 0; call < CALLS_PER_HISTORY; call += 1) await history.step();
      await history.assessBuckets();
    };
    await Promise.all(HISTORIES.map((overrides, n) => play(ledgerSpec(overrides), seed + n)));

    expect(new Set(kinds.keys())).toEqual(new Set(EVERY_ANSWER));
    expect(kinds.get('commit ok')).toBeGreaterThan(5_000);
  });
});
