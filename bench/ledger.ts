/**
 * What the ledger costs: CPU of Redis and of the client per record, and memory per remembered identity. A redis-server
 * of its own, batches of 1,000 records, times in order; the client's figure is the adapter's alone, not the making of
 * the requests. Run: `node bench/ledger.ts`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { START } from '../lease/position.ts';
import { planBuckets } from '../ledger/buckets.ts';
import type { Layout, LedgerSpec } from '../ledger/ledger.ts';
import { createLedgerConnection, type LedgerConnection } from '../ledger/redis/connection.ts';
import { createRedisLedger } from '../ledger/redis/redis-ledger.ts';
import { startRedis } from '../local/redis/start.ts';
import { systemClock } from '../runtime/clock.ts';
import { loginCommits } from './login-commits.ts';

const BATCH = 1_000;
const HORIZON_MS = 24 * 3_600_000;

export interface CommitCost {
  readonly what: string;
  readonly redisMicrosPerRecord: number;
  readonly clientMicrosPerRecord: number;
}

export interface MemoryCost {
  /** Identities there are, as a multiple of those expected. */
  readonly timesExpected: number;
  readonly bytesPerIdentity: number;
}

export interface LedgerFigures {
  readonly redisVersion: string;
  readonly identities: number;
  readonly costs: readonly CommitCost[];
  readonly memory: readonly MemoryCost[];
}

interface Case {
  readonly what: string;
  /** Identities the layout was planned for, and those that come. */
  readonly expected: number;
  readonly identities: number;
  readonly withUniques: boolean;
  readonly neighbours?: readonly Layout[];
}

interface Measured {
  readonly redisMicros: number;
  readonly clientMicros: number;
  readonly bytes: number;
}

/** @param identities expected in the period measured; 500,000 take about ten seconds. */
export async function measureLedger(identities = 500_000): Promise<LedgerFigures> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ledger-bench-'));
  const redis = await startRedis({ clock: systemClock, dataDir, kind: 'redis-server' });
  const connection = createLedgerConnection({ url: redis.url });
  try {
    await connection.ready();
    const cost = async (what: string, withUniques: boolean): Promise<CommitCost> => {
      const measured = await measureCase(connection, { what, expected: identities, identities, withUniques });
      return {
        what,
        redisMicrosPerRecord: measured.redisMicros / identities,
        clientMicrosPerRecord: measured.clientMicros / identities,
      };
    };
    const memory = async (timesExpected: number): Promise<MemoryCost> => {
      const come = identities * timesExpected;
      const one = { what: 'memory', expected: identities, identities: come, withUniques: false };
      return { timesExpected, bytesPerIdentity: (await measureCase(connection, one)).bytes / come };
    };
    return {
      redisVersion: (await infoOf(connection)).get('redis_version') ?? 'unknown',
      identities,
      costs: [await cost('without uniques', false), await cost('with two uniques', true)],
      memory: [await memory(0.5), await memory(1), await memory(1.5)],
    };
  } finally {
    connection.close();
    await redis.child.stop(2_000);
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function measureCase(connection: LedgerConnection, one: Case): Promise<Measured> {
  await connection.client.flushall();
  const spec: LedgerSpec = {
    name: 'bench.000000000000',
    slots: 1,
    horizonMs: HORIZON_MS,
    periodMs: 2 * HORIZON_MS,
    bucketBy: 'time',
    expectedIdentitiesPerSlot: one.expected,
  };
  const ledger = createRedisLedger(spec, connection);
  const commits = [
    ...loginCommits({
      identities: one.identities,
      periodMs: spec.periodMs,
      batch: BATCH,
      buckets: planBuckets(one.expected),
      withUniques: one.withUniques,
      neighbours: one.neighbours ?? [],
      shard: 0,
    }),
  ];
  await ledger.open({ shard: commits[0]!.shard, slot: 0, generation: 1, start: START });
  const before = await infoOf(connection);
  const clientBefore = process.cpuUsage();
  for (const commit of commits) await mustSucceed(ledger.commit(commit));
  const client = process.cpuUsage(clientBefore);
  const after = await infoOf(connection);
  return {
    redisMicros: (cpuSeconds(after) - cpuSeconds(before)) * 1e6,
    clientMicros: client.user + client.system,
    bytes: Number(after.get('used_memory')) - Number(before.get('used_memory')),
  };
}

async function mustSucceed(answer: Promise<{ readonly kind: string }>): Promise<void> {
  const { kind } = await answer;
  if (kind !== 'ok') throw new Error(`a commit of the measurement was answered ${kind}`);
}

async function infoOf({ client }: LedgerConnection): Promise<ReadonlyMap<string, string>> {
  const lines = (await client.info()).split(/\r?\n/).filter((line) => line.includes(':'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

/** Of the thread that runs commands, when the server tells. */
function cpuSeconds(info: ReadonlyMap<string, string>): number {
  const of = (kind: string): number => Number(info.get(`used_cpu_${kind}_main_thread`) ?? info.get(`used_cpu_${kind}`));
  return of('user') + of('sys');
}

if (import.meta.main) {
  const figures = await measureLedger();
  process.stdout.write(
    `ledger on Redis ${figures.redisVersion}, ${figures.identities} identities, batches of ${BATCH}\n`,
  );
  for (const { what, redisMicrosPerRecord, clientMicrosPerRecord } of figures.costs) {
    process.stdout.write(
      `  ${what}: Redis ${redisMicrosPerRecord.toFixed(2)} µs, client ${clientMicrosPerRecord.toFixed(2)} µs per record\n`,
    );
  }
  for (const { timesExpected, bytesPerIdentity } of figures.memory) {
    process.stdout.write(`  ${timesExpected} × the expected identities: ${bytesPerIdentity.toFixed(1)} B each\n`);
  }
}
