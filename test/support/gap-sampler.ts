/**
 * Watches the ledger's rows of a fleet from outside, every 10 ms, and tells how long each shard's rows stood still over a
 * change of owner: from the last move of a row under one generation to the first under a later one. Times are Redis's own
 * clock, read in the same transaction as the rows, so the way to Redis adds nothing.
 */
import type { Redis } from 'ioredis';
import { END, START } from '../../lease/position.ts';
import { until } from './cluster-command.ts';

/** A change of owner as the ledger shows it; wall-clock milliseconds of the node that Redis runs on. */
export interface Gap {
  readonly leaseKey: string;
  readonly fromGeneration: number;
  readonly toGeneration: number;
  readonly lastMs: number;
  readonly firstMs: number;
}

interface SeenRow {
  generation: number;
  position: string;
  /** Under which generation the row moved last, and when. */
  movedUnder: number;
  movedMs: number;
  /** First and last time that records moved it: being there and being finished are no records. */
  firstRecordMs: number | undefined;
  lastRecordMs: number | undefined;
}

const EVERY_MS = 10;

export class GapSampler {
  readonly gaps: Gap[] = [];
  /** Between two samples in a row, by Redis's clock. */
  readonly spacingsMs: number[] = [];
  readonly #rows = new Map<string, SeenRow>();
  readonly #redis: Redis;
  #isStopped = false;
  #failure: unknown;
  #loop: Promise<void> = Promise.resolve();

  private constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** Begins when the ledger has rows. Call `stop` in the end, whatever happens: it disconnects the client too. */
  static async start(redis: Redis): Promise<GapSampler> {
    const sampler = new GapSampler(redis);
    try {
      const keys = await until('rows in the ledger', 60_000, () => sampler.#rowKeys());
      sampler.#loop = sampler.#sampleUntilStopped(keys).catch((error: unknown) => {
        sampler.#failure = error;
      });
    } catch (error) {
      await sampler.stop();
      throw error;
    }
    return sampler;
  }

  /** Shards whose rows did not move for this long, by the last sample. */
  standing(forMs: number): string[] {
    const nowMs = Math.max(...[...this.#rows.values()].map(({ movedMs }) => movedMs));
    return [...this.#rows].filter(([, { movedMs }]) => nowMs - movedMs > forMs).map(([field]) => field);
  }

  /** When a shard's records were committed first and last, in whatever slot. Undefined = never seen. */
  records(leaseKey: string): { readonly firstMs: number; readonly lastMs: number } | undefined {
    const rows = [...this.#rows].filter(([field]) => field.endsWith(` ${leaseKey}`)).map(([, row]) => row);
    const first = rows.flatMap(({ firstRecordMs }) => firstRecordMs ?? []);
    const last = rows.flatMap(({ lastRecordMs }) => lastRecordMs ?? []);
    return first.length > 0 ? { firstMs: Math.min(...first), lastMs: Math.max(...last) } : undefined;
  }

  /** @throws what ended the sampling early. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#loop;
    this.#redis.disconnect();
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #rowKeys(): Promise<string[] | undefined> {
    const keys = (await this.#redis.keys('*')).filter((key) => key.endsWith('}:rows'));
    return keys.length > 0 ? keys : undefined;
  }

  async #sampleUntilStopped(keys: readonly string[]): Promise<void> {
    let beforeMs: number | undefined;
    while (!this.#isStopped) {
      const dueMs = performance.now() + EVERY_MS;
      const atMs = await this.#sample(keys);
      if (beforeMs !== undefined) this.spacingsMs.push(atMs - beforeMs);
      beforeMs = atMs;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
    }
  }

  async #sample(keys: readonly string[]): Promise<number> {
    const question = this.#redis.multi().time();
    for (const key of keys) question.hgetall(key);
    const answers = ((await question.exec()) ?? []).map(([error, answer]) => {
      if (error) throw error;
      return answer;
    });
    const [seconds, micros] = answers[0] as readonly [string, string];
    const atMs = Number(seconds) * 1_000 + Number(micros) / 1_000;
    keys.forEach((key, i) => {
      const rows = Object.entries(answers[i + 1] as Record<string, string>);
      for (const [leaseKey, text] of rows) this.#saw(`${key} ${leaseKey}`, leaseKey, text, atMs);
    });
    return atMs;
  }

  #saw(field: string, leaseKey: string, text: string, atMs: number): void {
    const [first = '', position = ''] = text.split(' ');
    const generation = Number(first);
    const row = this.#rows.get(field);
    if (!row) {
      const recordMs = position === START || position === END ? undefined : atMs;
      const records = { firstRecordMs: recordMs, lastRecordMs: recordMs };
      this.#rows.set(field, { generation, position, movedUnder: generation, movedMs: atMs, ...records });
      return;
    }
    row.generation = generation;
    // An opening changes the generation and moves nothing.
    if (position === row.position) return;
    if (generation !== row.movedUnder) {
      const [fromGeneration, lastMs] = [row.movedUnder, row.movedMs];
      this.gaps.push({ leaseKey, fromGeneration, toGeneration: generation, lastMs, firstMs: atMs });
    }
    Object.assign(row, { position, movedUnder: generation, movedMs: atMs });
    if (position === END) return;
    row.firstRecordMs ??= atMs;
    row.lastRecordMs = atMs;
  }
}
