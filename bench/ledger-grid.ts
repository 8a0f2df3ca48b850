/**
 * Redis's CPU time per record, batches of 1,000, over what makes a commit dear: duplicates, uniques, and times that lie
 * apart. Beside each, in the same run, a plain variadic SADD of the same ids, which would tell duplicates and nothing else.
 * The least of ROUNDS rounds: neighbours on the machine only ever add. The more identities are expected (IDENTITIES), the
 * more buckets there are, and the fewer of a batch share one. Run: `npm run bench -- ledger-grid`.
 */
import { planBuckets } from '../ledger/buckets.ts';
import { MemberMemory } from '../worker/ledger/member-memory.ts';
import { commitAll, cpuMicros, LedgerServer, PERIOD_MS } from './ledger-server.ts';
import { loginCommits, type Times } from './login-commits.ts';

const BATCH = 1_000;
const RECORDS = 200_000;
const EXPECTED = Number(process.env.IDENTITIES ?? 1_000_000);
const ROUNDS = Number(process.env.ROUNDS ?? 3);
const TIMES: readonly Times[] = ['in order', 'over an hour', 'random'];
const DUPLICATE_SHARES = [0, 0.01, 0.05, 0.3];
const FIRST_MEMBER = 10 ** 15;

interface Cost {
  readonly ledger: number;
  readonly sadd: number;
}

async function costOf(server: LedgerServer, times: Times, duplicateShare: number, withUniques: boolean): Promise<Cost> {
  const ledger = await server.empty(EXPECTED);
  const buckets = planBuckets(EXPECTED);
  const commits = [
    ...loginCommits({
      ...{ identities: RECORDS, duplicateShare, times, withUniques, buckets, batch: BATCH },
      ...{ perPeriod: EXPECTED, periodMs: PERIOD_MS, period: 0, neighbours: [] },
      memory: withUniques ? new MemberMemory() : undefined,
    }),
  ];
  const measured = async (work: () => Promise<void>): Promise<number> => {
    const before = cpuMicros(await server.info());
    await work();
    return (cpuMicros(await server.info()) - before) / RECORDS;
  };
  const counted = await measured(() => commitAll(ledger, commits));
  const batches = commits.map(({ first }) => Array.from(first.ids, (id) => String(FIRST_MEMBER + id)));
  const { client } = server.connection;
  await client.flushall();
  const sadd = await measured(async () => {
    for (const members of batches) await client.sadd('ids', ...members);
  });
  return { ledger: counted, sadd };
}

/** Each the least of all rounds. */
async function leastOf(measure: () => Promise<Cost>): Promise<Cost> {
  const rounds: Cost[] = [];
  while (rounds.length < ROUNDS) rounds.push(await measure());
  const least = (pick: (cost: Cost) => number): number => Math.min(...rounds.map(pick));
  return { ledger: least(({ ledger }) => ledger), sadd: least(({ sadd }) => sadd) };
}

const server = await LedgerServer.start();
try {
  const version = (await server.info()).get('redis_version');
  process.stdout.write(
    `Redis ${version}, ${EXPECTED} identities expected, ${RECORDS} records, batches of ${BATCH}; µs of Redis's CPU per record\n`,
  );
  process.stdout.write(`  ${'times'.padEnd(14)}duplicates   plain SADD   ledger   with two uniques\n`);
  for (const times of TIMES) {
    for (const share of DUPLICATE_SHARES) {
      const plain = await leastOf(() => costOf(server, times, share, false));
      const full = await leastOf(() => costOf(server, times, share, true));
      const figures = [Math.min(plain.sadd, full.sadd), plain.ledger, full.ledger].map((micros) => micros.toFixed(2));
      const [sadd, ledger, uniques] = figures;
      const shown = `${(share * 100).toFixed(0)} %`.padStart(10);
      process.stdout.write(
        `  ${times.padEnd(14)}${shown}${sadd?.padStart(13)}${ledger?.padStart(9)}${uniques?.padStart(19)}\n`,
      );
    }
  }
} finally {
  await server.stop();
}
