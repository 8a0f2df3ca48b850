/**
 * Redis's CPU time per record, batches of 1,000, over what makes a commit dear: duplicates, uniques, and times that lie
 * apart. Beside each, in the same run and of the same ids, a plain variadic SADD into one large set, which takes seven times
 * the memory and tells no duplicate from another; and a script that only adds them to their buckets, which tells nothing
 * and counts nothing: what it costs is what Redis takes for a set per bucket.
 * The least of ROUNDS rounds: neighbours on the machine only ever add. The more identities are expected (IDENTITIES), the
 * more buckets there are, and the fewer of a batch share one. Run: `npm run bench -- ledger-grid`.
 */
import { planBuckets } from '../ledger/buckets.ts';
import { encodeCommit } from '../ledger/redis/commit-encoding.ts';
import { MemberMemory } from '../worker/ledger/member-memory.ts';
import { commitAll, cpuMicros, LedgerServer, PERIOD_MS, specOf } from './ledger-server.ts';
import { loginCommits, type Times } from './login-commits.ts';

const BATCH = 1_000;
const RECORDS = 200_000;
const EXPECTED = Number(process.env.IDENTITIES ?? 1_000_000);
const ROUNDS = Number(process.env.ROUNDS ?? 3);
const TIMES: readonly Times[] = ['in order', 'over an hour', 'random'];
const WIDTHS = [13, 16, 9, 19];
const DUPLICATE_SHARES = [0, 0.01, 0.05, 0.3];
const FIRST_MEMBER = 10 ** 15;

/** Takes a commit's keys and arguments. */
const ADD_TO_BUCKETS = `
local call, sub, grouped, sizes = redis.call, string.sub, cmsgpack.unpack(ARGV[11]), cmsgpack.unpack(ARGV[12])
local start, single = 0, ARGV[13]
for k, size in ipairs(sizes) do
  call('SADD', KEYS[5 + k], unpack(grouped, start + 1, start + size))
  start = start + size
end
local before = 5 + #sizes
for i = 1, #single / 16 do
  call('SADD', KEYS[before + i], sub(single, 16 * i - 15, 16 * i))
end`;

interface Cost {
  readonly ledger: number;
  readonly sadd: number;
  readonly buckets: number;
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
  const calls = commits.map((commit) => encodeCommit(specOf(EXPECTED), commit));
  await client.flushall();
  const added = await measured(async () => {
    for (const { keys, args } of calls) await client.eval(ADD_TO_BUCKETS, keys.length, ...keys, ...args);
  });
  return { ledger: counted, sadd, buckets: added };
}

/** Each the least of all rounds. */
async function leastOf(measure: () => Promise<Cost>): Promise<Cost> {
  const rounds: Cost[] = [];
  while (rounds.length < ROUNDS) rounds.push(await measure());
  const least = (pick: (cost: Cost) => number): number => Math.min(...rounds.map(pick));
  return {
    ledger: least(({ ledger }) => ledger),
    sadd: least(({ sadd }) => sadd),
    buckets: least(({ buckets }) => buckets),
  };
}

const server = await LedgerServer.start();
try {
  const version = (await server.info()).get('redis_version');
  process.stdout.write(
    `Redis ${version}, ${EXPECTED} identities expected, ${RECORDS} records, batches of ${BATCH}; µs of Redis's CPU per record\n`,
  );
  process.stdout.write(`  ${'times'.padEnd(14)}duplicates   plain SADD   buckets alone   ledger   with two uniques\n`);
  for (const times of TIMES) {
    for (const share of DUPLICATE_SHARES) {
      const plain = await leastOf(() => costOf(server, times, share, false));
      const full = await leastOf(() => costOf(server, times, share, true));
      const { sadd, buckets, ledger } = plain;
      const micros = [sadd, buckets, ledger, full.ledger].map((figure, i) => figure.toFixed(2).padStart(WIDTHS[i]!));
      process.stdout.write(`  ${times.padEnd(14)}${`${(share * 100).toFixed(0)} %`.padStart(10)}${micros.join('')}\n`);
    }
  }
} finally {
  await server.stop();
}
