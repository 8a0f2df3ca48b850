/**
 * What a fleet costs in DynamoDB, counted call by call: its liveness is paid per worker, its progress per checkpoint,
 * and shards that do nothing are not paid for. `npm run bench -- fleet-table` prints the whole bill of ten minutes.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CostWorld } from './cost-world.ts';

const MEASURED_S = 60;
const CHECKPOINT_EVERY_S = 5;
const LIMIT_MS = 120_000;
const SHARDS = 1_000;
const WORKERS = 50;

let world: CostWorld;

beforeAll(async () => {
  world = new CostWorld({ shards: SHARDS, workers: WORKERS });
  await world.clock.advance(35_000);
}, LIMIT_MS);

afterAll(() => world.end(), LIMIT_MS);

describe('a fleet of 1,000 shards and 50 workers', () => {
  it('has its shards spread evenly when it is measured', () => {
    expect([...world.held().values()]).toEqual(Array.from({ length: WORKERS }, () => SHARDS / WORKERS));
  });

  it(
    'that is idle costs a write per worker and second and one for the leader; a read per worker, and now and then a scan',
    async () => {
      const cost = await world.perSecond(MEASURED_S);
      expect(cost.writeUnits).toBeCloseTo(WORKERS + 1, 0);
      expect(world.dynamoDb.total(/lease$/).calls).toBe(0);
      // Worker rows each tick; orders of each worker, by itself and by the controller, and all rows each 30 seconds.
      const { readUnits: scanned } = world.dynamoDb.total(/^scan/);
      expect(scanned / (MEASURED_S / 30)).toBeLessThan(SHARDS / 8);
      expect(cost.readUnits).toBeLessThan(WORKERS * 1.2 + SHARDS / 8 / 30 + 3);
      expect(cost.calls).toBeLessThan(WORKERS * 1.2);
    },
    LIMIT_MS,
  );

  it(
    'whose shards all have records costs a write per checkpoint more, and not one read',
    async () => {
      const { readUnits: idleReads } = world.dynamoDb.total();
      world.recordEveryMs = CHECKPOINT_EVERY_S * 1_000;
      await world.clock.advance(35_000);
      const cost = await world.perSecond(MEASURED_S);
      const checkpoints = world.dynamoDb.total(/^update lease/);
      expect(checkpoints.writeUnits).toBe(checkpoints.calls);
      expect(checkpoints.calls / MEASURED_S).toBeLessThanOrEqual((SHARDS / CHECKPOINT_EVERY_S) * 1.01);
      expect(checkpoints.calls / MEASURED_S).toBeGreaterThan((SHARDS / CHECKPOINT_EVERY_S) * 0.3);
      // A heartbeat that names the busiest shards still fits into one unit.
      expect(cost.writeUnits - checkpoints.writeUnits / MEASURED_S).toBeCloseTo(WORKERS + 1, 0);
      expect(cost.readUnits * MEASURED_S).toBeLessThan(idleReads * 1.05);
    },
    LIMIT_MS,
  );
});
