/**
 * A commit as the script takes it: keys and arguments. The same request always gives the same bytes, so an unanswered
 * attempt can be sent again. Everything per record is packed into a few arrays: thousands of small arguments would
 * cost both sides several times more. The counterpart, with the order of the arguments, is commit.lua.
 */
import { FleetError } from '../../runtime/errors.ts';
import type { CommitRequest, LedgerSpec, UniqueMembers } from '../ledger.ts';
import { type BucketGroups, groupByBucket, MAX_GROUP } from './bucket-groups.ts';
import { type SlotKeys, slotKeys } from './keys.ts';
import { packingOf, packSuffixes } from './packed-positions.ts';

export interface ScriptCall {
  readonly keys: readonly string[];
  readonly args: readonly (string | Buffer)[];
}

const ID_DIGITS = 16;
const MEMBER_BYTES = 8;
/** MessagePack: an array whose length follows in four bytes; a text of at most 31 bytes, the length added; a number. */
const ARRAY_HEADER = 0xdd;
const ARRAY_HEADER_BYTES = 5;
const TEXT_HEADER = 0xa0;
const NUMBER_HEADER = 0xcd;
const NUMBER_BYTES = 2;
const MAX_RECORDS = 65_535;

export function encodeCommit(spec: LedgerSpec, request: CommitRequest): ScriptCall {
  assertEncodable(request);
  const keys = slotKeys(spec.name, request.slot);
  const identities = encodeIdentities(spec, keys, request);
  const uniques = encodeUniques(keys, request.uniques);
  const counters = encodeCounters(request);
  return {
    keys: [
      keys.rows,
      keys.duplicates(request.shard),
      keys.layouts,
      keys.counters,
      keys.job,
      keys.was,
      ...identities.bucketKeys,
      ...uniques.setKeys,
    ],
    args: [
      request.shard,
      String(request.generation),
      request.from.position,
      request.from.token,
      request.to.position,
      request.to.token,
      request.floor,
      String(request.arrivalMs),
      String(request.watermarkMs),
      String(request.newBuckets),
      ...identities.args,
      String(request.rejected),
      String(request.layouts.length),
      ...request.layouts.flatMap(({ period, buckets }) => [String(period), String(buckets ?? '-')]),
      ...identities.neighbourArgs,
      ...counters,
      ...uniques.args,
    ],
  };
}

function assertEncodable({ first, layouts, classes }: CommitRequest): void {
  const fault =
    first.ids.length > MAX_RECORDS || classes.length > MAX_RECORDS
      ? 'too many records or classes'
      : first.ids.length > 0 && layouts.length === 0
        ? 'identities without a layout of their period'
        : undefined;
  if (fault !== undefined) {
    throw new FleetError(`a commit cannot be encoded: ${fault}`, { code: 'BadCommit', disposition: 'fatal' });
  }
}

function encodeIdentities(spec: LedgerSpec, keys: SlotKeys, request: CommitRequest) {
  const { first, further, layouts, newBuckets } = request;
  const [own, ...neighbours] = layouts;
  const groups = groupByBucket(first.bucketKeys, own?.buckets ?? newBuckets, spec);
  const bucketKeys = own ? keysOf(keys, own.period, groups) : [];
  const neighbourArgs: Buffer[] = [];
  let placeOf: Uint32Array | undefined;
  for (const { period, buckets } of neighbours) {
    if (buckets === undefined) continue;
    placeOf ??= inverse(groups.order);
    const inNeighbour = groupByBucket(first.bucketKeys, buckets, spec);
    for (const key of keysOf(keys, period, inNeighbour)) bucketKeys.push(key);
    neighbourArgs.push(numbers(inNeighbour.sizes), numbers(placeOf, inNeighbour.order));
  }
  const grouped = groups.sizes.reduce((sum, size) => sum + size, 0);
  const packing = packingOf([first.positions, further]);
  return {
    bucketKeys,
    neighbourArgs,
    args: [
      encodeGrouped(first.ids, groups.order, grouped),
      numbers(groups.sizes),
      encodeSingle(first.ids, groups.order, grouped),
      encodeClasses(first.classes, groups.order),
      packing.prefix,
      String(packing.width),
      packSuffixes(packing, first.positions, groups.order),
      packSuffixes(packing, further),
    ],
  };
}

function keysOf(keys: SlotKeys, period: number, { buckets }: BucketGroups): string[] {
  const prefix = keys.bucketPrefix(period);
  return buckets.map((bucket) => prefix + bucket);
}

function inverse(order: Uint32Array): Uint32Array {
  const placeOf = new Uint32Array(order.length);
  for (let i = 0; i < order.length; i += 1) placeOf[order[i]!] = i;
  return placeOf;
}

/** '0000'…'9999': four digits at a time. */
const QUADS = Buffer.from(Array.from({ length: 10_000 }, (_, n) => String(n).padStart(4, '0')).join(''), 'latin1');

/** A MessagePack array of 10^15 + id, so many as are in groups: every id has 16 digits and stays an integer of Redis's sets. */
function encodeGrouped(ids: Float64Array, order: Uint32Array, grouped: number): Buffer {
  const blob = emptyArray(grouped, 1 + ID_DIGITS);
  let at = ARRAY_HEADER_BYTES;
  for (let i = 0; i < grouped; i += 1) {
    blob[at++] = TEXT_HEADER + ID_DIGITS;
    at = writeId(blob, at, ids[order[i]!]!);
  }
  return blob;
}

/** The digits of the others, one after the other. */
function encodeSingle(ids: Float64Array, order: Uint32Array, grouped: number): Buffer {
  const blob = Buffer.allocUnsafe((order.length - grouped) * ID_DIGITS);
  let at = 0;
  for (let i = grouped; i < order.length; i += 1) at = writeId(blob, at, ids[order[i]!]!);
  return blob;
}

function writeId(blob: Buffer, at: number, id: number): number {
  const member = 1e15 + id;
  const high = Math.floor(member / 1e8);
  return writeEightDigits(blob, writeEightDigits(blob, at, high), member - high * 1e8);
}

function writeEightDigits(blob: Buffer, at: number, value: number): number {
  const high = (value / 10_000) | 0;
  const quads = [high * 4, (value - high * 10_000) * 4] as const;
  for (const quad of quads) {
    for (let digit = 0; digit < 4; digit += 1) blob[at++] = QUADS[quad + digit]!;
  }
  return at;
}

/** Two bytes each: few are looked at. */
function encodeClasses(classes: Uint16Array, order: Uint32Array): Buffer {
  const blob = Buffer.allocUnsafe(2 * order.length);
  for (let i = 0; i < order.length; i += 1) blob.writeUInt16BE(classes[order[i]!]!, 2 * i);
  return blob;
}

/** Each counter once with its total, then the classes as indexes into them. */
function encodeCounters({ classes, first }: CommitRequest): (string | Buffer)[] {
  const records = new Float64Array(classes.length);
  for (let i = 0; i < first.classes.length; i += 1) records[first.classes[i]!]! += 1;
  const totals = new Map<string, number>();
  classes.forEach((names, i) => {
    for (const name of names) totals.set(name, (totals.get(name) ?? 0) + records[i]!);
  });
  const indexOf = new Map([...totals.keys()].map((name, index) => [name, index]));
  return [
    String(totals.size),
    ...[...totals].flatMap(([name, total]) => [name, String(total)]),
    String(classes.length),
    ...classes.map((names) => numbers(names.map((name) => indexOf.get(name)!))),
  ];
}

function encodeUniques(keys: SlotKeys, uniques: readonly UniqueMembers[]) {
  const setKeys: string[] = [];
  const sizes: number[] = [];
  const counterOf: number[] = [];
  const approximate: number[] = [];
  const counters = [...new Set(uniques.map(({ counter }) => counter))];
  for (const { unique, set, counter, isApproximate, members } of uniques) {
    for (let left = members.length / MEMBER_BYTES; left > 0; left -= MAX_GROUP) {
      setKeys.push(isApproximate ? keys.uniqueSketch(unique, set) : keys.uniqueSet(unique, set));
      sizes.push(Math.min(left, MAX_GROUP));
      counterOf.push(counters.indexOf(counter));
      approximate.push(isApproximate ? 1 : 0);
    }
  }
  return {
    setKeys,
    args: [
      String(counters.length),
      ...counters,
      encodeMembers(uniques),
      numbers(sizes),
      numbers(counterOf),
      numbers(approximate),
    ],
  };
}

function encodeMembers(uniques: readonly UniqueMembers[]): Buffer {
  const bytes = uniques.reduce((sum, { members }) => sum + members.length, 0);
  const blob = emptyArray(bytes / MEMBER_BYTES, 1 + MEMBER_BYTES);
  let at = ARRAY_HEADER_BYTES;
  for (const { members } of uniques) {
    for (let from = 0; from < members.length; from += MEMBER_BYTES) {
      blob[at++] = TEXT_HEADER + MEMBER_BYTES;
      for (let byte = 0; byte < MEMBER_BYTES; byte += 1) blob[at++] = members[from + byte]!;
    }
  }
  return blob;
}

/** A MessagePack array of the values, in the given order if there is one. */
function numbers(values: ArrayLike<number>, order?: Uint32Array): Buffer {
  const blob = emptyArray(values.length, 1 + NUMBER_BYTES);
  let at = ARRAY_HEADER_BYTES;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[order ? order[i]! : i]!;
    blob[at++] = NUMBER_HEADER;
    blob[at++] = value >> 8;
    blob[at++] = value;
  }
  return blob;
}

/** Room for a MessagePack array of so many elements, each with its header; the array's own header is in it. */
function emptyArray(count: number, elementBytes: number): Buffer {
  const blob = Buffer.allocUnsafe(ARRAY_HEADER_BYTES + count * elementBytes);
  blob[0] = ARRAY_HEADER;
  blob.writeUInt32BE(count, 1);
  return blob;
}
