/**
 * Watches the ledger's rows of a fleet on a cluster from outside, every 10 ms, and tells how long each shard's rows
 * stood still over a change of owner: from the last move of a row under one generation to the first under a later one.
 * Times are Redis's own clock, read in the same transaction as the rows, so the way to the cluster adds nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { Redis } from 'ioredis';
import { until } from './cluster-command.ts';
import { type ClusterFleet, RELEASE } from './cluster-fleet.ts';

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
}

const EVERY_MS = 10;

export class GapSampler {
  readonly gaps: Gap[] = [];
  /** Between two samples in a row, by Redis's clock. */
  readonly spacingsMs: number[] = [];
  readonly #rows = new Map<string, SeenRow>();
  readonly #forward: ChildProcess;
  readonly #redis: Redis;
  #isStopped = false;
  #failure: unknown;
  #loop: Promise<void> = Promise.resolve();

  private constructor(forward: ChildProcess, redis: Redis) {
    this.#forward = forward;
    this.#redis = redis;
  }

  /** Begins when the ledger has rows. Call `stop` in the end, whatever happens. */
  static async start(fleet: ClusterFleet): Promise<GapSampler> {
    const name = `${RELEASE}-redis`;
    const flags = ['get', `secret/${name}`, '--output', 'jsonpath={.data.redis-password}'];
    const password = Buffer.from(await fleet.kubectl(flags), 'base64').toString();
    const { forward, port } = await forwardTo(fleet.namespace, `service/${name}`);
    const sampler = new GapSampler(forward, new Redis({ host: '127.0.0.1', port, password }));
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

  /** @throws what ended the sampling early. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#loop;
    this.#redis.disconnect();
    this.#forward.kill();
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
      this.#rows.set(field, { generation, position, movedUnder: generation, movedMs: atMs });
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
  }
}

/** `kubectl port-forward` to a free local port: works from wherever the cluster's API can be reached. */
function forwardTo(namespace: string, target: string): Promise<{ forward: ChildProcess; port: number }> {
  const args = ['--namespace', namespace, 'port-forward', target, ':6379'];
  const forward = spawn('kubectl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    let said = '';
    const hear = (text: Buffer): void => {
      said += text.toString();
      const port = Number(/127\.0\.0\.1:(\d+) ->/.exec(said)?.[1]);
      if (port > 0) resolve({ forward, port });
    };
    forward.stdout.on('data', hear);
    forward.stderr.on('data', hear);
    forward.on('error', reject);
    forward.on('close', () => reject(new Error(`port-forward ended: ${said}`)));
  });
}
