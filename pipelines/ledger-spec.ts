/**
 * The ledger that a pipeline counts in, under the settings that all processes of a fleet share. Controller, workers
 * and CLI all call this, so they mean the same ledger or, after a change that matters, a new one together.
 */
import type { LedgerSpec } from '../ledger/ledger.ts';
import { ledgerName } from '../ledger/ledger-name.ts';
import type { Pipeline } from './pipeline.ts';

const HOUR_MS = 3_600_000;
/** A period is two horizons long, so that a record looks up at most one neighbour period. */
const HORIZONS_PER_PERIOD = 2;

export interface LedgerSettings {
  readonly fleet: string;
  readonly slots: number;
  readonly horizonHours: number;
  readonly expectedIdentities: number;
}

export function ledgerSpecOf(pipeline: Pipeline, settings: LedgerSettings): LedgerSpec {
  const nameOf = (index: number): string => pipeline.fields[index]?.name ?? '';
  const horizonMs = settings.horizonHours * HOUR_MS;
  const periodMs = horizonMs * HORIZONS_PER_PERIOD;
  const { fields, time } = pipeline.identity;
  return {
    name: ledgerName({
      fleet: settings.fleet,
      identityFields: fields.map(nameOf),
      identityTime: time === undefined ? undefined : nameOf(time),
      slotKey: nameOf(pipeline.slotKey),
      slots: settings.slots,
      periodMs,
      horizonMs,
    }),
    slots: settings.slots,
    horizonMs,
    periodMs,
    bucketBy: time === undefined ? 'hash' : 'time',
    expectedIdentitiesPerSlot: Math.ceil(settings.expectedIdentities / settings.slots),
  };
}
