/**
 * Real faults of real Redis servers, each with its promise: nothing is skipped, and every count equals the truth. Some of
 * them here; all, with five seeds each: `REDIS_FAULT_SEEDS=5 npx vitest run --project integration redis-faults`.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { hasRedisServer } from '../../support/redis-server.ts';
import { seedOfThisRun } from '../../support/seeded-random.ts';
import { CLUSTER_FAULTS } from './clusters.ts';
import { type DrillReport, drill } from './drill.ts';
import { QUICK_FAULTS, REDIS_FAULTS } from './faults.ts';
import { SENTINEL_FAULTS } from './sentinels.ts';

const LONG_SEEDS = Number(process.env.REDIS_FAULT_SEEDS ?? 0);
const SEEDS = LONG_SEEDS || 1;
const FAULTS = LONG_SEEDS > 0 ? [...REDIS_FAULTS, ...SENTINEL_FAULTS, ...CLUSTER_FAULTS] : QUICK_FAULTS;
const first = seedOfThisRun();
const reports: DrillReport[] = [];

afterAll(() => {
  const lines = reports.map(
    ({ name, seed, records, lost, healed, replayed, healMs }) =>
      `${name.padEnd(62)} seed ${seed}: ${records} records, lost ${lost}, healed ${healed}, replayed ${replayed}, whole after ${Math.round(healMs)} ms`,
  );
  process.stdout.write(`${lines.join('\n')}\n`);
});

describe.runIf(hasRedisServer())('a ledger whose Redis suffers', { timeout: 120_000 * SEEDS }, () => {
  it.each(FAULTS.map((fault) => [fault.name, fault] as const))('counts exactly after %s', async (_, fault) => {
    for (let seed = first; seed < first + SEEDS; seed++) {
      const report = await drill(fault, seed);
      reports.push(report);
      expect(report.counted, `seed ${seed}`).toEqual(report.truth);
      if (fault.losesSettled === 'perhaps') continue;
      if (fault.losesSettled) {
        // Where others decide when to fail over, the loss may be healed before it can be measured.
        if (!fault.surround) expect(report.lost, `seed ${seed}`).toBeGreaterThan(0);
        expect(report.healed, `seed ${seed}`).toBeGreaterThan(0);
      } else {
        expect(report.healed, `seed ${seed}`).toBe(0);
      }
    }
  });
});
