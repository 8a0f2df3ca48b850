/** Opens the ledger of the fleet that the settings name, for reading, for as long as `use` takes. */
import { join } from 'node:path';
import type { LedgerReader, LedgerSpec } from '../ledger/ledger.ts';
import { createLedgerConnection } from '../ledger/redis/connection.ts';
import { createRedisLedger } from '../ledger/redis/redis-ledger.ts';
import { ledgerSpecOf } from '../pipelines/ledger-spec.ts';
import { loadPipeline } from '../pipelines/load.ts';
import type { Pipeline } from '../pipelines/pipeline.ts';
import type { CliSettings } from './config.ts';

export interface FleetLedger {
  readonly reader: LedgerReader;
  readonly pipeline: Pipeline;
  readonly spec: LedgerSpec;
}

/** @throws LedgerUnavailable when Redis does not answer within a few seconds. */
export async function withFleetLedger<T>(settings: CliSettings, use: (ledger: FleetLedger) => Promise<T>): Promise<T> {
  const pipeline = loadPipeline(settings.pipeline, settings.pipelinesDir ?? join(import.meta.dirname, '../pipelines'));
  const spec = ledgerSpecOf(pipeline, settings);
  const connection = createLedgerConnection({ url: settings.redisUrl });
  try {
    await connection.ready();
    return await use({ reader: createRedisLedger(spec, connection), pipeline, spec });
  } finally {
    connection.close();
  }
}
