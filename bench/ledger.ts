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
import type { CommitRequest, Layout, Ledger } from '../ledger/ledger.ts';
import { createLedgerConnection, type LedgerConnection } from '../ledger/redis/connection.ts';
import { createRedisLedger } from '../ledger/redis/redis-ledger.ts';
import { startRedis } from '../local/redis/start.ts';
import { systemClock } from '../runtime/clock.ts';
import { MemberMemory } from '../worker/ledger/member-memory.ts';
import { loginCommits } from './login-commits.ts';

const BATCH = 1_000;
/** Each cost is that of the least disturbed of so many rounds: neighbours on the machine only ever add. */
const ROUNDS = 4;
/** Identities of a period, by default. */
const EXPECTED = 1_000_000;
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
  /** Identities of a period that the layout was planned for, the pace at which they come, and how many do. */
  readonly expected: number;
  readonly perPeriod: number;
  readonly identities: number;
  readonly withUniques?: boolean;
  readonly sendsOnce?: boolean;
  /** As in the first half of a period: the period before is full, and each identity is looked up there too. */
  readonly withNeighbour?: boolean;
}

interface Measured {
  readonly redisMicros: number;
  readonly clientMicros: number;
  readonly bytes: number;
}

/** @param identities committed in each measurement; 300,000 take about half a minute in all. */
export async function measureLedger(identities = 300_000): Promise<LedgerFigures> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ledger-bench-'));
  const redis = await startRedis({ clock: systemClock, dataDir, kind: 'redis-server' });
  const connection = createLedgerConnection({ url: redis.url });
  const cost = async (what: string, one: Partial<Case>): Promise<CommitCost> => {
    const rounds: Measured[] = [];
    while (rounds.length < ROUNDS)
      rounds.push(await measureCase(connection, { ...one, expected: EXPECTED, perPeriod: EXPECTED, identities }));
    return {
      what,
      redisMicrosPerRecord: Math.min(...rounds.map(({ redisMicros }) => redisMicros)) / identities,
      clientMicrosPerRecord: Math.min(...rounds.map(({ clientMicros }) => clientMicros)) / identities,
    };
  };
  const memory = async (timesExpected: number): Promise<MemoryCost> => {
    const come = identities * timesExpected;
    const { bytes } = await measureCase(connection, { expected: identities, perPeriod: come, identities: come });
    return { timesExpected, bytesPerIdentity: bytes / come };
  };
  try {
    await connection.ready();
    return {
      redisVersion: (await infoOf(connection)).get('redis_version') ?? 'unknown',
      identities,
      costs: [
        await cost('without uniques', {}),
        await cost('without uniques, looked up in the period before too', { withNeighbour: true }),
        await cost('with two uniques, all members each time', { withUniques: true }),
        await cost('with two uniques, as a worker sends them', { withUniques: true, sendsOnce: true }),
      ],
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
  const buckets = planBuckets(one.expected);
  const periodMs = 2 * HORIZON_MS;
  const ledger = createRedisLedger(
    {
      ...{ name: 'bench.000000000000', slots: 1, horizonMs: HORIZON_MS, periodMs, bucketBy: 'time' },
      expectedIdentitiesPerSlot: one.expected,
    },
    connection,
  );
  const commitsOf = (period: number, neighbours: readonly Layout[]): CommitRequest[] => [
    ...loginCommits({
      ...{ identities: one.identities, perPeriod: one.perPeriod, periodMs, batch: BATCH, buckets, period, neighbours },
      withUniques: one.withUniques ?? false,
      memory: one.sendsOnce ? new MemberMemory() : undefined,
    }),
  ];
  if (one.withNeighbour) await commitAll(ledger, commitsOf(0, []));
  const measured = one.withNeighbour ? commitsOf(1, [{ period: 0, buckets }]) : commitsOf(0, []);
  const before = await infoOf(connection);
  const clientBefore = process.cpuUsage();
  await commitAll(ledger, measured);
  const client = process.cpuUsage(clientBefore);
  const after = await infoOf(connection);
  return {
    redisMicros: (cpuSeconds(after) - cpuSeconds(before)) * 1e6,
    clientMicros: client.user + client.system,
    bytes: Number(after.get('used_memory')) - Number(before.get('used_memory')),
  };
}

async function commitAll(ledger: Ledger, commits: readonly CommitRequest[]): Promise<void> {
  await ledger.open({ shard: commits[0]!.shard, slot: 0, generation: 1, start: START });
  for (const commit of commits) {
    const { kind } = await ledger.commit(commit);
    if (kind !== 'ok') throw new Error(`a commit of the measurement was answered ${kind}`);
  }
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
