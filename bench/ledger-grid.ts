/**
 * Redis's CPU time per record, batches of 1,000, over what makes a commit dear: duplicates, uniques, and times that lie
 * apart; in a ledger that holds as many identities as were expected (IDENTITIES, default 1 million). Beside each, in the
 * same run and of the same ids, a plain variadic SADD into one set that holds as many, which takes seven times the memory
 * and tells no duplicate from another; and a script that only adds others like them to their buckets, which tells nothing
 * and counts nothing: what it costs is what Redis takes for a set per bucket.
 * Each figure is the least of ROUNDS rounds, for neighbours on the machine only ever add, and their median in brackets.
 * Run: `npm run bench -- ledger-grid`.
 */
import type { CommitRequest } from '../ledger/ledger.ts';
import { encodeCommit } from '../ledger/redis/commit-encoding.ts';
import { printGrid } from './commit-grid.ts';
import { FilledLedger, membersOf, PLAIN_SET } from './filled-ledger.ts';
import { commitAll, cpuMicros, LedgerServer, specOf } from './ledger-server.ts';
import type { Times } from './login-commits.ts';

const RECORDS = 20_000;
const EXPECTED = Number(process.env.IDENTITIES ?? 1_000_000);
const ROUNDS = Number(process.env.ROUNDS ?? 3);

/** Takes a commit's keys and arguments. */
const ADD_TO_BUCKETS = `
local call, sub, grouped, sizes = redis.call, string.sub, cmsgpack.unpack(ARGV[11]), cmsgpack.unpack(ARGV[12])
local start, single = 0, ARGV[13]
for k, size in ipairs(sizes) do
  call('SADD', KEYS[6 + k], unpack(grouped, start + 1, start + size))
  start = start + size
end
local before = 6 + #sizes
for i = 1, #single / 16 do
  call('SADD', KEYS[before + i], sub(single, 16 * i - 15, 16 * i))
end`;

const COLUMNS = ['plain SADD', 'buckets alone', 'ledger', 'with two uniques'] as const;
type Costs = Readonly<Record<(typeof COLUMNS)[number], number>>;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function costsOf(filled: FilledLedger, times: Times, duplicateShare: number): Promise<Costs> {
  const { server } = filled;
  const { client } = server.connection;
  const run = { records: RECORDS, times, duplicateShare };
  const measured = async (work: () => Promise<void>): Promise<number> => {
    const before = cpuMicros(await server.info());
    await work();
    return (cpuMicros(await server.info()) - before) / RECORDS;
  };
  const commitsOf = (withUniques: boolean) => filled.commits({ ...run, withUniques });
  const counted = (commits: readonly CommitRequest[]) => measured(() => commitAll(filled.ledger, commits));
  const calls = (await commitsOf(false)).map((commit) => encodeCommit(specOf(EXPECTED), commit));
  const added = await measured(async () => {
    for (const { keys, args } of calls) await client.eval(ADD_TO_BUCKETS, keys.length, ...keys, ...args);
  });
  const commits = await commitsOf(false);
  const batches = commits.map(membersOf);
  return {
    'plain SADD': await measured(async () => {
      for (const members of batches) await client.sadd(PLAIN_SET, ...members);
    }),
    'buckets alone': added,
    ledger: await counted(commits),
    'with two uniques': await counted(await commitsOf(true)),
  };
}

const server = await LedgerServer.start();
try {
  const version = (await server.info()).get('redis_version');
  say(`Redis ${version}, ${EXPECTED.toLocaleString('en-US')} identities; µs of Redis's CPU per record`);
  const filled = new FilledLedger(server, EXPECTED, say);
  await printGrid(say, COLUMNS, async (times, share) => {
    const rounds: Costs[] = [];
    while (rounds.length < ROUNDS) rounds.push(await costsOf(filled, times, share));
    return COLUMNS.map((name) => {
      const sorted = rounds.map((costs) => costs[name]).sort((a, b) => a - b);
      return `${sorted[0]!.toFixed(2)} (${sorted[ROUNDS >> 1]!.toFixed(2)})`;
    });
  });
} finally {
  await server.stop();
}
