/**
 * Stage 4: decoded columns to what the ledger needs of each record: id, slot, bucket key, class of counters, members of
 * uniques. Pure: a function of the batch, the pipeline and the hash seed. A record is the same in every encoding,
 * because only the bytes of its texts and the numbers of its instants are hashed.
 */
import xxhash from 'xxhash-wasm';
import type { Pipeline } from '../../pipelines/pipeline.ts';
import { classify } from './classes.ts';
import type { DecodedBatch } from './decoded-batch.ts';
import { hashFields, writeField } from './field-hashes.ts';
import { type IdentifiedBatch, NONE, type Rejection } from './identified-batch.ts';
import { instantMs } from './instant.ts';
import { KeyedHash } from './keyed-hash.ts';
import { DECODABLE, reasonWords } from './rejection-reason.ts';
import { collectUniques } from './uniques.ts';

/** Slots and sets are 16-bit columns, of which the highest value means none. */
const MAX_BATCH_RECORDS = NONE;

export interface IdentityOptions {
  readonly pipeline: Pipeline;
  /** 32 hex digits in lower case; the same for all workers of a ledger, and secret. */
  readonly hashSeed: string;
  readonly slots: number;
  /** `time` needs a pipeline with identity.time. */
  readonly bucketBy: 'time' | 'hash';
}

/** The function that identifies a batch of at most 65,535 records; it may be used again and again. */
export async function createIdentity(options: IdentityOptions): Promise<(decoded: DecodedBatch) => IdentifiedBatch> {
  const { pipeline, slots, bucketBy } = options;
  if (bucketBy === 'time' && pipeline.identity.time === undefined) {
    throw new RangeError(`the pipeline "${pipeline.name}" has no identity.time to make buckets by`);
  }
  if (!Number.isInteger(slots) || slots < 1 || slots >= NONE) throw new RangeError(`${slots} is no number of slots`);
  const hash = new KeyedHash(await xxhash(), options.hashSeed);
  const reasons = reasonWords(pipeline);

  return (decoded) => {
    const { count } = decoded.records;
    if (count > MAX_BATCH_RECORDS) throw new RangeError(`a batch of ${count} records is too large`);
    const hashes = hashFields(pipeline, decoded, hash);
    return {
      records: decoded.records,
      slots: slotColumn(decoded, hashes[pipeline.slotKey]!, slots),
      ...identify(pipeline, decoded, hash, bucketBy),
      ...classify(pipeline, decoded, hash),
      uniques: collectUniques(pipeline, decoded, hashes, hash),
      rejected: rejections(decoded, reasons),
      formatCounts: countFormats(pipeline, decoded),
    };
  };
}

function identify(
  pipeline: Pipeline,
  decoded: DecodedBatch,
  hash: KeyedHash,
  bucketBy: 'time' | 'hash',
): Pick<IdentifiedBatch, 'ids' | 'bucketKeys'> {
  const { count } = decoded.records;
  const { fields } = pipeline.identity;
  const ids = new Float64Array(count);
  const bucketKeys = new Float64Array(count);
  const time = bucketBy === 'time' ? decoded.columns[pipeline.identity.time!] : undefined;
  for (let i = 0; i < count; i++) {
    if (decoded.reasons[i] !== DECODABLE) continue;
    hash.begin();
    for (let field = 0; field < fields.length; field++) writeField(decoded, fields[field]!, i, hash);
    hash.finish('identity');
    ids[i] = hash.bits52;
    if (time?.kind === 'instant') {
      bucketKeys[i] = instantMs(time.seconds[i]!, time.nanos[i]!);
    } else {
      hash.finish('bucket');
      bucketKeys[i] = hash.bits52;
    }
  }
  return { ids, bucketKeys };
}

function slotColumn(decoded: DecodedBatch, keyHashes: Uint32Array, slots: number): Uint16Array {
  const column = new Uint16Array(decoded.records.count);
  for (let i = 0; i < column.length; i++) {
    column[i] = decoded.reasons[i] === DECODABLE ? keyHashes[2 * i + 1]! % slots : NONE;
  }
  return column;
}

function rejections(decoded: DecodedBatch, words: readonly string[]): Rejection[] {
  const rejected: Rejection[] = [];
  for (let i = 0; i < decoded.reasons.length; i++) {
    const reason = decoded.reasons[i]!;
    if (reason !== DECODABLE) rejected.push({ index: i, reason: words[reason]! });
  }
  return rejected;
}

function countFormats(pipeline: Pipeline, decoded: DecodedBatch): Map<string, number> {
  const counts = new Uint32Array(pipeline.formats.length);
  for (let i = 0; i < decoded.formats.length; i++) {
    if (decoded.reasons[i] === DECODABLE) counts[decoded.formats[i]!]!++;
  }
  return new Map(pipeline.formats.map((format, i) => [format.name, counts[i]!]));
}
