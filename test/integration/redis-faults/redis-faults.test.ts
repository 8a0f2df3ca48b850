/**
 * Real faults of real Redis servers, each with its promise: nothing is skipped, and every count equals the truth. Some of
 * them here; all, with five seeds each: `npm run chaos -- --redis`.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { hasRedisServer } from '../../support/redis-server.ts';
import { seedOfThisRun } from '../../support/seeded-random.ts';
import { type DrillReport, drill, wrongWith } from './drill.ts';
import { QUICK_FAULTS } from './faults.ts';

const seed = seedOfThisRun();
const reports: DrillReport[] = [];

afterAll(() => {
  const lines = reports.map(
    ({ name, records, lost, healed, replayed, healMs }) =>
      `${name.padEnd(62)} seed ${seed}: ${records} records, lost ${lost}, healed ${healed}, replayed ${replayed}, whole after ${Math.round(healMs)} ms`,
  );
  process.stdout.write(`${lines.join('\n')}\n`);
});

describe.runIf(hasRedisServer())('a ledger whose Redis suffers', { timeout: 120_000 }, () => {
  it.each(QUICK_FAULTS.map((fault) => [fault.name, fault] as const))('counts exactly after %s', async (_, fault) => {
    const report = await drill(fault, seed);
    reports.push(report);
    expect(wrongWith(fault, report)).toBeUndefined();
  });
});
