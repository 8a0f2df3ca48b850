/**
 * A ledger of ten million identities: memory per identity at half, once and one and a half times the expected number, and
 * whether any single command of filling, of the next period's beginning or of forgetting a period holds Redis up. By
 * environment: IDENTITIES. Run: `npm run bench -- ledger-large`; some minutes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { planBuckets } from '../ledger/buckets.ts';
import { type CountedLayout, SWEEP_KEYS } from '../ledger/ledger.ts';
import { createRedisLedger } from '../ledger/redis/redis-ledger.ts';
import { createRedisLedgerJob } from '../ledger/redis/redis-ledger-job.ts';
import { commitAll, cpuMicros, LedgerServer, PERIOD_MS, specOf, usedMemory } from './ledger-server.ts';
import { loginCommits, shardOf } from './login-commits.ts';

const EXPECTED = Number(process.env.IDENTITIES ?? 10_000_000);
const BATCH = 1_000;
const GENERATION = 1;
const SLOW_MICROS = 10_000;
const LOOKED_UP = EXPECTED / 50;
const LOOK_MS = 100;

interface Filled {
  readonly bytesEach: number;
  readonly cpuMicrosEach: number;
}

async function fill(server: LedgerServer, timesExpected: number): Promise<Filled> {
  const ledger = await server.empty(EXPECTED);
  // What emptied the server was not the ledger's doing.
  await server.connection.client.slowlog('RESET');
  const before = await server.info();
  const identities = EXPECTED * timesExpected;
  await commitAll(
    ledger,
    loginCommits({
      ...{ identities, perPeriod: identities, period: 0, neighbours: [], buckets: planBuckets(EXPECTED) },
      ...{ periodMs: PERIOD_MS, batch: BATCH, withUniques: false, memory: undefined },
    }),
  );
  const after = await server.info();
  return {
    bytesEach: (usedMemory(after) - usedMemory(before)) / identities,
    cpuMicrosEach: (cpuMicros(after) - cpuMicros(before)) / identities,
  };
}

/** The next period begins, its records are looked up in the one before too. */
async function rotate(server: LedgerServer): Promise<void> {
  const buckets = planBuckets(EXPECTED);
  const commits = loginCommits({
    ...{ identities: LOOKED_UP, perPeriod: EXPECTED, period: 1, neighbours: [{ period: 0, buckets }], buckets },
    ...{ periodMs: PERIOD_MS, batch: BATCH, withUniques: false, memory: undefined },
  });
  await commitAll(createRedisLedger(specOf(EXPECTED), server.connection), commits);
}

/** Gives the seconds that it took. */
async function forget(server: LedgerServer): Promise<number> {
  const job = createRedisLedgerJob(specOf(EXPECTED), server.connection);
  const opened = await job.openJob(0, GENERATION);
  if (opened.kind !== 'opened') throw new Error(`the job was answered ${opened.kind}`);
  const { buckets } = opened.layouts.find(({ period }) => period === 0) as CountedLayout & { readonly buckets: number };
  // Both shards are done with: neither holds the period back.
  await job.dropRows(0, GENERATION, [0, 1].map(shardOf));
  const startedMs = performance.now();
  const asked = await job.forget(0, GENERATION, 0, []);
  if (asked.kind !== 'ok') throw new Error(`forgetting was answered ${asked.kind}`);
  for (let from = 0; from < buckets; from += SWEEP_KEYS) await job.sweep(0, GENERATION, { period: 0, buckets }, from);
  return (performance.now() - startedMs) / 1_000;
}

/** The slowest command since the last reset, of those above the threshold. */
async function slowest(server: LedgerServer): Promise<string> {
  const log = (await server.connection.client.slowlog('GET', 128)) as [number, number, number, string[]][];
  const named = log.map(([, , micros, [command]]) => ({ micros, command }));
  await server.connection.client.slowlog('RESET');
  if (named.length === 0) return 'none';
  const worst = named.reduce((a, b) => (a.micros > b.micros ? a : b));
  return `${named.length}, the slowest ${worst.command} ${(worst.micros / 1_000).toFixed(1)} ms`;
}

async function untilNoChild(server: LedgerServer): Promise<void> {
  const isAtWork = async (): Promise<boolean> => {
    const info = await server.info();
    return ['rdb_bgsave_in_progress', 'aof_rewrite_in_progress', 'aof_rewrite_scheduled'].some(
      (field) => info.get(field)?.trim() === '1',
    );
  };
  while (await isAtWork()) await sleep(LOOK_MS);
}

const server = await LedgerServer.start();
try {
  const { client } = server.connection;
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  say(`${EXPECTED.toLocaleString('en-US')} identities expected, Redis ${(await server.info()).get('redis_version')}`);
  await client.config('SET', 'slowlog-log-slower-than', SLOW_MICROS);
  for (const timesExpected of [0.5, 1.5, 1]) {
    const { bytesEach, cpuMicrosEach } = await fill(server, timesExpected);
    const cost = `${bytesEach.toFixed(2)} B and ${cpuMicrosEach.toFixed(2)} µs of CPU per identity`;
    say(`  ${timesExpected} × expected: ${cost}; commands above 10 ms: ${await slowest(server)}`);
  }
  await rotate(server);
  say(
    `  next period begun, ${LOOKED_UP.toLocaleString('en-US')} records looked up in both: commands above 10 ms: ${await slowest(server)}`,
  );
  // Redis may be writing its append-only file anew, and refuses a second child.
  await untilNoChild(server);
  await client.bgsave();
  await untilNoChild(server);
  say(
    `  fork of ${((await server.info()).get('used_memory_human') ?? '').trim()}: ${(await server.info()).get('latest_fork_usec')} µs`,
  );
  await client.slowlog('RESET');
  const forgotS = await forget(server);
  say(`  a period forgotten in ${forgotS.toFixed(1)} s without pauses: commands above 10 ms: ${await slowest(server)}`);
} finally {
  await server.stop();
}
