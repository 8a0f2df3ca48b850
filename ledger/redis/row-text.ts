/**
 * The text of a ledger row in Redis: generation, position, token, floor, arrival, watermark, separated by blanks. The
 * scripts write it; here it is only read.
 */
import { parsePosition } from '../../lease/position.ts';
import { FleetError } from '../../runtime/errors.ts';
import type { LedgerRow } from '../ledger.ts';

/** @throws FleetError (fatal) when the text is no row: somebody else wrote into the ledger. */
export function parseRow(text: string): LedgerRow {
  const [generation, position, token, floor, arrival, watermark] = text.split(' ');
  const parsed = {
    generation: Number(generation),
    position: parsePosition(position ?? ''),
    floor: parsePosition(floor ?? ''),
    arrivalMs: Number(arrival),
    watermarkMs: Number(watermark),
  };
  const { position: at, floor: lowest } = parsed;
  if (at === undefined || lowest === undefined || token === undefined || watermark === undefined) {
    throw new FleetError('a row of the ledger cannot be read', {
      code: 'LedgerCorrupt',
      disposition: 'fatal',
      fields: { row: text },
    });
  }
  return { ...parsed, position: at, token, floor: lowest };
}
