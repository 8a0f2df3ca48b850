/**
 * Members of the pipeline's uniques as columns: 8 bytes of the field's keyed hash, and the set that they belong to. A
 * plain unique is spread over 16 sets by bits of the member, unless it is approximate; a unique per value has one set per
 * value.
 */
import { uniqueName, uniqueValueName } from '../../ledger/counter-names.ts';
import type { Pipeline, Unique } from '../../pipelines/pipeline.ts';
import { type DecodedBatch, isPresent } from './decoded-batch.ts';
import { type FieldHashes, textBytes } from './field-hashes.ts';
import { NONE, type UniqueColumn } from './identified-batch.ts';
import type { KeyedHash } from './keyed-hash.ts';
import { DECODABLE } from './rejection-reason.ts';
import { ValueNames } from './value-names.ts';

const PLAIN_SET_NAMES = Array.from({ length: 16 }, (_, i) => String(i));
const SKETCH_NAMES = ['0'];

export function collectUniques(
  pipeline: Pipeline,
  decoded: DecodedBatch,
  hashes: FieldHashes,
  hash: KeyedHash,
): UniqueColumn[] {
  return pipeline.uniques.map((unique) =>
    unique.per === undefined
      ? plainUnique(unique, decoded, hashes)
      : valueUnique(unique, unique.per, decoded, hashes, hash),
  );
}

function plainUnique(unique: Unique, decoded: DecodedBatch, hashes: FieldHashes): UniqueColumn {
  const { count } = decoded.records;
  const halves = hashes[unique.field]!;
  const column = decoded.columns[unique.field]!;
  const sets = new Uint16Array(count).fill(NONE);
  const setNames = unique.isApproximate ? SKETCH_NAMES : PLAIN_SET_NAMES;
  for (let i = 0; i < count; i++) {
    if (decoded.reasons[i] === DECODABLE && isPresent(column, i)) sets[i] = halves[2 * i]! % setNames.length;
  }
  return {
    unique: unique.name,
    isApproximate: unique.isApproximate,
    members: membersOf(halves, count),
    sets,
    setNames,
    counters: setNames.map(() => uniqueName(unique.name)),
  };
}

function valueUnique(
  unique: Unique,
  per: number,
  decoded: DecodedBatch,
  hashes: FieldHashes,
  hash: KeyedHash,
): UniqueColumn {
  const { count } = decoded.records;
  const halves = hashes[unique.field]!;
  const column = decoded.columns[unique.field]!;
  const values = decoded.columns[per]!;
  const sets = new Uint16Array(count).fill(NONE);
  const names = new ValueNames(hash);
  if (values.kind !== 'text') throw new TypeError(`the values of the unique "${unique.name}" are no texts`);
  for (let i = 0; i < count; i++) {
    const start = values.starts[i]!;
    if (start < 0 || decoded.reasons[i] !== DECODABLE || !isPresent(column, i)) continue;
    sets[i] = names.indexOf(textBytes(decoded, i), start, values.ends[i]!);
  }
  return {
    unique: unique.name,
    isApproximate: unique.isApproximate,
    members: membersOf(halves, count),
    sets,
    setNames: names.names,
    counters: names.names.map((name) => uniqueValueName(unique.name, name)),
  };
}

/** The hashes as bytes. A view: two uniques of one field have the same members. */
function membersOf(halves: Uint32Array, count: number): Uint8Array {
  return new Uint8Array(halves.buffer, halves.byteOffset, 8 * count);
}
