/**
 * What a fleet of 1,000 shards and 50 workers costs in DynamoDB, idle and busy, over ten simulated minutes each: calls
 * and units by kind of row, from the production stores over a DynamoDB in memory that bills. Run:
 * `node bench/fleet-table.ts`.
 */
import { CostWorld } from '../test/unit/lease/cost-world.ts';

const SHARDS = 1_000;
const WORKERS = 50;
const MEASURED_S = 600;
const CHECKPOINT_MS = 5_000;
const SETTLE_MS = 35_000;

async function report(world: CostWorld, what: string): Promise<void> {
  const total = await world.perSecond(MEASURED_S);
  const line = (name: string, calls: number, writes: number, reads: number): string =>
    `  ${name.padEnd(16)} ${calls.toFixed(1).padStart(7)} calls/s ${writes.toFixed(1).padStart(7)} write units/s ${reads.toFixed(1).padStart(6)} read units/s\n`;
  process.stdout.write(line(what, total.calls, total.writeUnits, total.readUnits));
  for (const [row, { calls, writeUnits, readUnits }] of world.dynamoDb.bills) {
    process.stdout.write(line(`  ${row}`, calls / MEASURED_S, writeUnits / MEASURED_S, readUnits / MEASURED_S));
  }
}

process.stdout.write(
  `the fleet table of ${SHARDS} shards and ${WORKERS} workers, ${MEASURED_S / 60} simulated minutes\n`,
);
const world = new CostWorld({ shards: SHARDS, workers: WORKERS });
await world.clock.advance(SETTLE_MS);
await report(world, 'idle');
world.recordEveryMs = CHECKPOINT_MS;
await world.clock.advance(SETTLE_MS);
await report(world, 'busy');
await world.end();
