/**
 * Records of a run as what is put: each by itself, or packed together. Copies that are to land on another shard are
 * packed apart from the others, because an aggregate goes to one shard as a whole.
 */
import { aggregate } from './aggregate.ts';
import type { ProducedRecord } from './generator.ts';
import type { Entry } from './put-call.ts';

export interface Parcel extends Entry {
  /** What is in it, in order. */
  readonly records: readonly ProducedRecord[];
}

/** @param perParcel records packed together; 1 = none are packed */
export function parcelsOf(records: readonly ProducedRecord[], perParcel: number): Parcel[] {
  if (perParcel === 1) return records.map((record) => ({ ...record, records: [record] }));
  const parcels: Parcel[] = [];
  for (const kind of Map.groupBy(records, directionOf).values()) {
    for (let from = 0; from < kind.length; from += perParcel) {
      const packed = kind.slice(from, from + perParcel);
      parcels.push({ ...aggregate(packed), records: packed });
    }
  }
  return parcels;
}

function directionOf({ explicitHashKey }: ProducedRecord): string {
  return explicitHashKey === undefined ? 'own' : 'elsewhere';
}
