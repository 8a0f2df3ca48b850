/** A redis-server of a bench's own with the ledger on it, and what it says about its CPU time and its memory. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { START } from '../lease/position.ts';
import type { CommitRequest, Ledger, LedgerSpec } from '../ledger/ledger.ts';
import { createLedgerConnection, type LedgerConnection } from '../ledger/redis/connection.ts';
import { createRedisLedger } from '../ledger/redis/redis-ledger.ts';
import { exitOnSignals } from '../local/child.ts';
import { startRedis } from '../local/redis/start.ts';
import { systemClock } from '../runtime/clock.ts';

const HORIZON_MS = 24 * 3_600_000;
export const PERIOD_MS = 2 * HORIZON_MS;

type RedisInfo = ReadonlyMap<string, string>;

export class LedgerServer {
  readonly connection: LedgerConnection;
  readonly #stop: () => Promise<void>;

  private constructor(connection: LedgerConnection, stop: () => Promise<void>) {
    this.connection = connection;
    this.#stop = stop;
  }

  /** @param command how redis-server is called; default: by its name. */
  static async start(command?: readonly string[]): Promise<LedgerServer> {
    exitOnSignals();
    const dataDir = mkdtempSync(join(tmpdir(), 'ledger-bench-'));
    const redis = await startRedis({ clock: systemClock, dataDir, kind: 'redis-server', command });
    const connection = createLedgerConnection({ url: redis.url });
    const server = new LedgerServer(connection, async () => {
      connection.close();
      await redis.child.stop(2_000);
      rmSync(dataDir, { recursive: true, force: true });
    });
    await connection.ready();
    return server;
  }

  /** Nothing is kept of what was there before. */
  async empty(expectedIdentities: number): Promise<Ledger> {
    await this.connection.client.flushall();
    return createRedisLedger(specOf(expectedIdentities), this.connection);
  }

  async info(): Promise<RedisInfo> {
    const lines = (await this.connection.client.info()).split(/\r?\n/).filter((line) => line.includes(':'));
    return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
  }

  stop(): Promise<void> {
    return this.#stop();
  }
}

/** One slot, so that a figure is that of one Redis. */
export function specOf(expectedIdentities: number): LedgerSpec {
  return {
    ...{ name: 'bench.000000000000', slots: 1, horizonMs: HORIZON_MS, periodMs: PERIOD_MS, bucketBy: 'time' },
    expectedIdentitiesPerSlot: expectedIdentities,
  };
}

export async function commitAll(ledger: Ledger, commits: Iterable<CommitRequest>): Promise<void> {
  let isOpen: boolean = false;
  for (const commit of commits) {
    if (!isOpen) await ledger.open({ shard: commit.shard, slot: 0, generation: 1, start: START });
    isOpen = true;
    const { kind } = await ledger.commit(commit);
    if (kind !== 'ok') throw new Error(`a commit of the measurement was answered ${kind}`);
  }
}

/** Of the thread that runs commands, when the server tells. */
export function cpuMicros(info: RedisInfo): number {
  const of = (kind: string): number => Number(info.get(`used_cpu_${kind}_main_thread`) ?? info.get(`used_cpu_${kind}`));
  return (of('user') + of('sys')) * 1e6;
}

export function usedMemory(info: RedisInfo): number {
  return Number(info.get('used_memory'));
}
