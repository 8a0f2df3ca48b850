/**
 * What must be well once before a worker joins its fleet: the table, Redis, the fleet row, the stream. What time may
 * mend is waited for, and said; what only a person can mend refuses the start.
 */
import { type EnsureTableOptions, ensureTable } from '../lease/dynamodb/ensure-table.ts';
import { type FleetRow, type FleetStore, SCHEMA_VERSION } from '../lease/worker-store.ts';
import type { LedgerConnection } from '../ledger/redis/connection.ts';
import { checkServer } from '../ledger/redis/server-check.ts';
import { settlementOf } from '../ledger/redis/settlement.ts';
import { FleetError, StartRefused } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { type WaitOptions, waitFor } from '../runtime/wait-for.ts';

/** Resolves when the table is usable. */
export function untilTable(parts: WaitOptions, table: Omit<EnsureTableOptions, 'clock'>): Promise<void> {
  return waitFor('fleet table', parts, () => ensureTable({ ...table, clock: parts.clock }));
}

/** Resolves when Redis answers. @throws StartRefused when it would evict the ledger, or cannot settle as it is told to. */
export async function untilRedis(parts: WaitOptions, connection: LedgerConnection, settleMs: number): Promise<void> {
  const facts = await waitFor('redis', parts, () => checkServer(connection));
  const { version, evictionPolicy, appendFsync } = facts;
  parts.logger.info('redis is there', { endpoint: connection.endpoint, version, evictionPolicy, appendFsync });
  const { mode, because, warnings } = settlementOf(facts, settleMs);
  parts.logger.info('ledger writes settle', { mode, settleMs, because });
  for (const warning of warnings) parts.logger.warn(warning);
  if (evictionPolicy === undefined) {
    parts.logger.warn('nobody tells whether this redis evicts: its maxmemory-policy must be noeviction');
  }
}

/** The fleet row, written by the first leading controller. @throws StartRefused when the fleet reads another stream. */
export async function untilFleet(
  parts: WaitOptions,
  store: Pick<FleetStore, 'readFleet'>,
  stream: string,
): Promise<FleetRow> {
  const fleet = await waitFor('fleet row', parts, async () => {
    const row = await store.readFleet();
    if (row?.schemaVersion === SCHEMA_VERSION) return row;
    if (!row) throw notYet('FleetNotCreated', 'no controller has written the fleet row yet');
    const versions = `has rows of version ${row.schemaVersion}, this program knows version ${SCHEMA_VERSION}`;
    throw notYet('SchemaDiffers', `the fleet table ${versions}: run the version of the program that made it`);
  });
  const isSame = stream === fleet.streamArn || stream === fleet.streamArn.slice(fleet.streamArn.indexOf('/') + 1);
  if (!isSame) {
    throw new StartRefused(`STREAM is ${stream}, but this FLEET reads ${fleet.streamArn}: one fleet reads one stream`);
  }
  return fleet;
}

function notYet(code: string, message: string): FleetError {
  return new FleetError(message, { code, disposition: 'retry' });
}

/** Copies of a record may come as late as the stream retains it; beyond the horizon they count again. */
export function warnOfShortHorizon(logger: Logger, horizonHours: number, retentionHours: number | undefined): void {
  if (retentionHours === undefined || retentionHours <= horizonHours) return;
  logger.warn('the horizon is shorter than the retention of the stream: copies that arrive further apart count again', {
    horizonHours,
    retentionHours,
  });
}
