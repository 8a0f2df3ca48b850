/** Opens the ledger of the fleet that the settings name, for reading, for as long as `use` takes. */
import { join } from 'node:path';
import { redisAddressOf } from '../lease/config.ts';
import type { Ledger, LedgerEvents, LedgerReader, LedgerSpec } from '../ledger/ledger.ts';
import { createLedgerConnection } from '../ledger/redis/connection.ts';
import { createRedisLedger } from '../ledger/redis/redis-ledger.ts';
import { createRedisLedgerEvents } from '../ledger/redis/redis-ledger-events.ts';
import { ledgerSpecOf } from '../pipelines/ledger-spec.ts';
import { loadPipeline } from '../pipelines/load.ts';
import type { Pipeline } from '../pipelines/pipeline.ts';
import type { CliSettings } from './config.ts';

export interface FleetLedger {
  readonly reader: Ledger & LedgerReader;
  readonly events: LedgerEvents;
  readonly pipeline: Pipeline;
  readonly spec: LedgerSpec;
}

/** What the settings name; connects to nothing. */
export function fleetPipeline(settings: CliSettings): Pick<FleetLedger, 'pipeline' | 'spec'> {
  const pipeline = loadPipeline(settings.pipeline, settings.pipelinesDir ?? join(import.meta.dirname, '../pipelines'));
  return { pipeline, spec: ledgerSpecOf(pipeline, settings) };
}

/** @throws LedgerUnavailable when Redis does not answer within a few seconds. */
export async function withFleetLedger<T>(settings: CliSettings, use: (ledger: FleetLedger) => Promise<T>): Promise<T> {
  const { pipeline, spec } = fleetPipeline(settings);
  const connection = createLedgerConnection(redisAddressOf(settings));
  try {
    await connection.ready();
    return await use({
      reader: createRedisLedger(spec, connection),
      events: createRedisLedgerEvents(spec, connection),
      ...{ pipeline, spec },
    });
  } finally {
    connection.close();
  }
}
