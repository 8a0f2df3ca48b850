/**
 * A Kinesis of one shard at the seam of the source: records that a test writes, answers that a test scripts. It keeps
 * its records, so iterators work as they do in Kinesis; iterators are `<generation>:<index of the next record>`.
 */
import { SEQUENCE_NUMBER_DIGITS } from '../../lease/position.ts';
import type {
  IteratorStart,
  KinesisReads,
  ListedShard,
  RecordPage,
  StreamFacts,
} from '../../worker/source/kinesis-reads.ts';
import type { ChildShard } from '../../worker/source/raw-batch.ts';

export const SHARD = 'shardId-000000000000';

interface StoredRecord {
  readonly sequence: string;
  readonly bytes: Uint8Array;
}

/** What happens instead of, or to, the next answer of GetRecords. */
export type Interference =
  | { readonly kind: 'error'; readonly error: Error }
  | { readonly kind: 'hang' }
  | { readonly kind: 'page'; readonly change: Partial<RecordPage> };

/** As the SDK throws them. */
export function kinesisError(name: string, httpStatusCode = 400): Error {
  return Object.assign(new Error(name), { name, $metadata: { httpStatusCode } });
}

/** The decimal text of record i's sequence number, 56 digits. */
export function sequenceOf(i: number): string {
  return `495${String(i + 1).padStart(SEQUENCE_NUMBER_DIGITS - 3, '0')}`;
}

export class ScriptedKinesis implements KinesisReads {
  readonly records: StoredRecord[] = [];
  readonly iteratorStarts: IteratorStart[] = [];
  /** Monotonic start times of GetRecords, as the test's clock had them. */
  readonly readTimesMs: number[] = [];
  readonly limits: number[] = [];
  listCalls = 0;
  shards: ListedShard[] = [];
  /** Consumed one per GetRecords. */
  readonly script: Interference[] = [];
  /** Applied to GetRecords while set. */
  standing: Interference | undefined;
  listError: Error | undefined;
  stream: StreamFacts = { creationEpochSeconds: 1_790_000_000, retentionMs: 86_400_000 };
  describeError: Error | undefined;
  /** Records per page at most, besides the caller's limit. */
  pageRecords = 10_000;
  /** With these, the iterator is null after the last record. */
  childShards: ChildShard[] | undefined;
  #iteratorGeneration = 0;
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Appends records with these payloads. */
  write(...payloads: (string | Uint8Array)[]): void {
    for (const payload of payloads) {
      const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
      this.records.push({ sequence: sequenceOf(this.records.length), bytes });
    }
  }

  /** Appends `count` records named `r<index>`. */
  writeMany(count: number): void {
    for (let i = 0; i < count; i++) this.write(`r${this.records.length}`);
  }

  expireIterators(): void {
    this.#iteratorGeneration++;
  }

  getShardIterator(_shardId: string, start: IteratorStart): Promise<string> {
    this.iteratorStarts.push(start);
    return Promise.resolve(`${this.#iteratorGeneration}:${this.#indexOf(start)}`);
  }

  async getRecords(shardIterator: string, limit: number): Promise<RecordPage> {
    this.readTimesMs.push(this.#nowMs());
    this.limits.push(limit);
    const interference = this.script.shift() ?? this.standing;
    if (interference?.kind === 'error') throw interference.error;
    if (interference?.kind === 'hang') return new Promise(() => undefined);
    const [generation, index] = shardIterator.split(':').map(Number) as [number, number];
    if (generation !== this.#iteratorGeneration) throw kinesisError('ExpiredIteratorException');
    const page = this.#page(index, Math.min(limit, this.pageRecords));
    return interference ? { ...page, ...interference.change } : page;
  }

  describeStream(): Promise<StreamFacts> {
    return this.describeError ? Promise.reject(this.describeError) : Promise.resolve(this.stream);
  }

  listShards(): Promise<readonly ListedShard[]> {
    this.listCalls++;
    return this.listError ? Promise.reject(this.listError) : Promise.resolve(this.shards);
  }

  #indexOf(start: IteratorStart): number {
    if (start.type === 'TRIM_HORIZON' || start.type === 'AT_TIMESTAMP') return 0;
    const sequence = start.sequenceNumber.padStart(SEQUENCE_NUMBER_DIGITS, '0');
    const isFirst = (record: StoredRecord): boolean =>
      start.type === 'AT_SEQUENCE_NUMBER' ? record.sequence >= sequence : record.sequence > sequence;
    const index = this.records.findIndex(isFirst);
    return index === -1 ? this.records.length : index;
  }

  #page(index: number, limit: number): RecordPage {
    const records = this.records.slice(index, index + limit);
    const next = index + records.length;
    const isAtTip = next === this.records.length;
    const children = isAtTip ? this.childShards : undefined;
    return {
      ...columnsOf(records),
      arrivalsMs: Float64Array.from(records, (_, i) => 1_000 + index + i),
      millisBehindLatest: isAtTip ? 0 : 5_000,
      answeredAtMs: 1_000_000 + this.#nowMs(),
      nextShardIterator: children ? undefined : `${this.#iteratorGeneration}:${next}`,
      childShards: children ?? [],
    };
  }
}

function columnsOf(records: readonly StoredRecord[]) {
  const bytes = Buffer.concat(records.map((record) => record.bytes));
  const ends = new Uint32Array(records.length);
  let offset = 0;
  for (const [i, record] of records.entries()) {
    offset += record.bytes.length;
    ends[i] = offset;
  }
  const starts = Uint32Array.from(ends, (end, i) => end - records[i]!.bytes.length);
  return { count: records.length, bytes, starts, ends, sequenceNumbers: records.map((record) => record.sequence) };
}

/** A child as GetRecords names it, or (with the rest) as ListShards does. */
export function childOf(parent: string, shardId: string): ListedShard {
  return {
    shardId,
    parentShards: [parent],
    startingHashKey: '0',
    endingHashKey: '10',
    startingSequenceNumber: sequenceOf(1_000_000),
    endingSequenceNumber: undefined,
  };
}
