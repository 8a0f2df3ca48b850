/**
 * What the ledger costs: CPU of Redis and of the client per record, and memory per remembered identity. A redis-server
 * of its own, batches of 1,000 records, times in order; the client's figure is the adapter's alone, not the making of
 * the requests. Run: `node bench/ledger.ts`.
 */
import { planBuckets } from '../ledger/buckets.ts';
import type { CommitRequest, Layout } from '../ledger/ledger.ts';
import { MemberMemory } from '../worker/ledger/member-memory.ts';
import { commitAll, cpuMicros, LedgerServer, PERIOD_MS, usedMemory } from './ledger-server.ts';
import { loginCommits } from './login-commits.ts';

const BATCH = 1_000;
/** Each cost is that of the least disturbed of so many rounds: neighbours on the machine only ever add. */
const ROUNDS = 4;
/** Identities of a period, by default. */
const EXPECTED = 1_000_000;

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
  const server = await LedgerServer.start();
  const cost = async (what: string, one: Partial<Case>): Promise<CommitCost> => {
    const rounds: Measured[] = [];
    while (rounds.length < ROUNDS)
      rounds.push(await measureCase(server, { ...one, expected: EXPECTED, perPeriod: EXPECTED, identities }));
    return {
      what,
      redisMicrosPerRecord: Math.min(...rounds.map(({ redisMicros }) => redisMicros)) / identities,
      clientMicrosPerRecord: Math.min(...rounds.map(({ clientMicros }) => clientMicros)) / identities,
    };
  };
  const memory = async (timesExpected: number): Promise<MemoryCost> => {
    const come = identities * timesExpected;
    const { bytes } = await measureCase(server, { expected: identities, perPeriod: come, identities: come });
    return { timesExpected, bytesPerIdentity: bytes / come };
  };
  try {
    return {
      redisVersion: (await server.info()).get('redis_version') ?? 'unknown',
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
    await server.stop();
  }
}

async function measureCase(server: LedgerServer, one: Case): Promise<Measured> {
  const ledger = await server.empty(one.expected);
  const buckets = planBuckets(one.expected);
  const commitsOf = (period: number, neighbours: readonly Layout[]): CommitRequest[] => [
    ...loginCommits({
      ...{
        identities: one.identities,
        perPeriod: one.perPeriod,
        periodMs: PERIOD_MS,
        batch: BATCH,
        buckets,
        period,
        neighbours,
      },
      withUniques: one.withUniques ?? false,
      memory: one.sendsOnce ? new MemberMemory() : undefined,
    }),
  ];
  if (one.withNeighbour) await commitAll(ledger, commitsOf(0, []));
  const measured = one.withNeighbour ? commitsOf(1, [{ period: 0, buckets }]) : commitsOf(0, []);
  const before = await server.info();
  const clientBefore = process.cpuUsage();
  await commitAll(ledger, measured);
  const client = process.cpuUsage(clientBefore);
  const after = await server.info();
  return {
    redisMicros: cpuMicros(after) - cpuMicros(before),
    clientMicros: client.user + client.system,
    bytes: usedMemory(after) - usedMemory(before),
  };
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
