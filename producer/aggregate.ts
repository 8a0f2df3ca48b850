/**
 * Packs user records into one Kinesis record, the way the Kinesis Producer Library does (proto/kpl): many small records
 * cost one put. The order of the user records is kept; each distinct key stands once in its table.
 */
import { hash } from 'node:crypto';
import protobuf from 'protobufjs';
import type { Entry } from './put-call.ts';

const MAGIC = Uint8Array.from([0xf3, 0x89, 0x9a, 0xc2]);
/** Tags of the fields: number and wire type. */
const PARTITION_KEY = 0x0a;
const EXPLICIT_HASH_KEY = 0x12;
const RECORD = 0x1a;
const PARTITION_KEY_INDEX = 0x08;
const EXPLICIT_HASH_KEY_INDEX = 0x10;
const DATA = 0x1a;

/** @param entries at least one; the first one's keys say which shard the aggregate goes to. */
export function aggregate(entries: readonly Entry[]): Entry {
  const [first] = entries;
  if (!first) throw new RangeError('an aggregate needs a record');
  const message = messageOf(entries);
  const digest = hash('md5', message, 'buffer');
  const { partitionKey, explicitHashKey } = first;
  const data = Buffer.concat([MAGIC, message, digest]);
  return { data, partitionKey, explicitHashKey, userRecords: entries.length };
}

function messageOf(entries: readonly Entry[]): Uint8Array {
  const partitionKeys = tableOf(entries.map(({ partitionKey }) => partitionKey));
  const hashKeys = tableOf(entries.flatMap(({ explicitHashKey = [] }) => explicitHashKey));
  const writer = protobuf.Writer.create();
  for (const key of partitionKeys.keys()) writer.uint32(PARTITION_KEY).string(key);
  for (const key of hashKeys.keys()) writer.uint32(EXPLICIT_HASH_KEY).string(key);
  for (const { data, partitionKey, explicitHashKey } of entries) {
    writer.uint32(RECORD).fork();
    writer.uint32(PARTITION_KEY_INDEX).uint32(partitionKeys.get(partitionKey)!);
    if (explicitHashKey !== undefined) writer.uint32(EXPLICIT_HASH_KEY_INDEX).uint32(hashKeys.get(explicitHashKey)!);
    writer.uint32(DATA).bytes(data);
    writer.ldelim();
  }
  return writer.finish();
}

/** Place of each distinct key, in the order of first use. */
function tableOf(keys: readonly string[]): Map<string, number> {
  const places = new Map<string, number>();
  for (const key of keys) if (!places.has(key)) places.set(key, places.size);
  return places;
}
