/** The short form of `npm run chaos`: every server's faults once, in a quarter of a minute. */
import { afterAll, expect, it } from 'vitest';
import { systemClock } from '../../runtime/clock.ts';
import { DECK, named } from './deck.ts';
import { reportText } from './report.ts';
import { runChaos } from './run.ts';

const SEED = Number(process.env.CHAOS_SEED ?? 1);
const CARDS = [
  ...['kill -9 of a worker', 'kill -9 of a controller', 'worker frozen for longer than its lease', 'split', 'merge'],
  ...['DynamoDB silent for two leases', 'DynamoDB answers lost', 'Redis answers cut', 'Redis server frozen'],
  ...['Redis answers lost', 'reads lose their answer', 'cut off from everything'],
];

const stop = new AbortController();
let running: Promise<unknown> = Promise.resolve();
// A test that ran out of time must leave no process behind either.
afterAll(async () => {
  stop.abort(new Error('the test is over'));
  await running.catch(() => undefined);
});

it(`counts equal the truth after a seeded storm of faults on processes, connections, servers and shards (seed ${SEED})`, {
  timeout: 180_000,
}, async () => {
  // Act
  const lines: string[] = [];
  const run = runChaos({
    ...{ seed: SEED, durationMs: 10_000, leaseMs: 2_400, gapMs: [400, 900], cards: named(DECK, CARDS) },
    ...{ workers: 3, shards: 4, ratePerSecond: 300, countWithinMs: 90_000 },
    ...{ clock: systemClock, signal: stop.signal, say: (line) => lines.push(line) },
  });
  running = run;
  const report = await run;

  // Assess
  if (report.good) report.fleet.logs.remove();
  else console.error(`${lines.join('\n')}\n${reportText(report)}`);
  expect(report.verdict.rows.filter(({ truth, counted }) => truth !== counted)).toEqual([]);
  expect(report.rest.missing).toEqual([]);
  expect(report.violations).toEqual([]);
  expect(report.struck.size).toBeGreaterThan(6);
});
