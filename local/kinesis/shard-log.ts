/**
 * The records of one shard, appended as ready-made JSON so that a read copies nothing: it hands out slices of the
 * segments. Invariants: ordinals are gapless and arrival times never go back, hence a position is arithmetic and a
 * time is a binary search. Trimming forgets whole segments; a slice handed out keeps its own segment alive.
 * Neighbours: sequence-number.ts names the ordinals, retention.ts decides what is trimmed.
 */
import type { SequenceNumbers } from './sequence-number.ts';

const FIRST_SEGMENT_BYTES = 16 * 1024;
const LARGEST_SEGMENT_BYTES = 1024 * 1024;

/** A record as it is put; `data` is base64, `dataBytes` the length of what it encodes. */
export interface PutEntry {
  data: string;
  dataBytes: number;
  partitionKey: string;
}

/** Consecutive records: JSON objects joined by commas, spread over `parts`. */
export interface RecordBatch {
  parts: Buffer[];
  count: number;
  /** What Kinesis charges: data and partition keys, not their encoding. */
  payloadBytes: number;
  nextOrdinal: number;
}

interface Segment {
  buffer: Buffer;
  usedBytes: number;
  firstOrdinal: number;
  /** Per record: where its JSON ends, when it arrived, and the payload of the segment up to and including it. */
  ends: number[];
  arrivalsMs: number[];
  payloads: number[];
}

/** The first index in `from..to` whose value is at least `wanted`, or `to`; values must not decrease. */
function lowerBound(values: readonly number[], wanted: number, from: number, to: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class ShardLog {
  readonly #sequenceNumbers: SequenceNumbers;
  #segments: Segment[] = [];
  #segmentBytes = FIRST_SEGMENT_BYTES;
  #firstOrdinal = 1;
  #nextOrdinal = 1;
  #lastArrivalMs: number;
  #bytes = 0;

  /** `notBeforeMs`: no record will be stamped earlier (a child's records never precede its parents'). */
  constructor(sequenceNumbers: SequenceNumbers, notBeforeMs: number) {
    this.#sequenceNumbers = sequenceNumbers;
    this.#lastArrivalMs = notBeforeMs;
  }

  /** Ordinal of the oldest record kept; equals `nextOrdinal` when none is. */
  get firstOrdinal(): number {
    return this.#firstOrdinal;
  }

  get nextOrdinal(): number {
    return this.#nextOrdinal;
  }

  get lastArrivalMs(): number {
    return this.#lastArrivalMs;
  }

  /** Bytes held, as encoded. */
  get bytes(): number {
    return this.#bytes;
  }

  /** When the oldest segment's first record arrived, or undefined when the log is empty. */
  get oldestArrivalMs(): number | undefined {
    return this.#segments[0]?.arrivalsMs[0];
  }

  /** Appends one record and returns its sequence number. */
  append(entry: PutEntry, nowMs: number): string {
    const arrivalMs = Math.max(nowMs, this.#lastArrivalMs);
    const ordinal = this.#nextOrdinal;
    const sequenceNumber = this.#sequenceNumbers.of(ordinal, arrivalMs);
    const json = `,{"SequenceNumber":"${sequenceNumber}","ApproximateArrivalTimestamp":${arrivalMs / 1000},"PartitionKey":${JSON.stringify(entry.partitionKey)},"Data":"${entry.data}"}`;
    const bytes = Buffer.byteLength(json);
    const segment = this.#segmentWithRoom(bytes);
    segment.buffer.write(json, segment.usedBytes, 'utf8');
    segment.usedBytes += bytes;
    segment.ends.push(segment.usedBytes);
    segment.arrivalsMs.push(arrivalMs);
    const payloadBytes = entry.dataBytes + Buffer.byteLength(entry.partitionKey);
    segment.payloads.push((segment.payloads.at(-1) ?? 0) + payloadBytes);
    this.#bytes += bytes;
    this.#lastArrivalMs = arrivalMs;
    this.#nextOrdinal = ordinal + 1;
    return sequenceNumber;
  }

  /** At most `limit` records from `fromOrdinal` on (or from the oldest kept), at most `maxPayloadBytes` but one record at least. */
  read(fromOrdinal: number, limit: number, maxPayloadBytes: number): RecordBatch {
    const batch: RecordBatch = {
      parts: [],
      count: 0,
      payloadBytes: 0,
      nextOrdinal: Math.max(fromOrdinal, this.#firstOrdinal),
    };
    let at = this.#segmentIndexOf(batch.nextOrdinal);
    for (let segment = this.#segments[at]; segment && batch.count < limit; segment = this.#segments[++at]) {
      const isWholeSegmentTaken = takeFrom(segment, batch, limit, maxPayloadBytes);
      if (!isWholeSegmentTaken) break;
    }
    return batch;
  }

  /** When the record arrived; the ordinal must be kept. */
  arrivalMsOf(ordinal: number): number {
    const segment = this.#segments[this.#segmentIndexOf(ordinal)];
    const arrivalMs = segment?.arrivalsMs[ordinal - segment.firstOrdinal];
    if (arrivalMs === undefined) throw new RangeError('no such ordinal in the shard log');
    return arrivalMs;
  }

  /** The first record kept that arrived at `wallMs` or later; `nextOrdinal` when there is none. */
  ordinalAtTime(wallMs: number): number {
    const segment = this.#segments.find((candidate) => candidate.arrivalsMs.at(-1)! >= wallMs);
    if (!segment) return this.#nextOrdinal;
    const ordinal = segment.firstOrdinal + lowerBound(segment.arrivalsMs, wallMs, 0, segment.arrivalsMs.length);
    return Math.max(ordinal, this.#firstOrdinal);
  }

  /** Forgets what arrived before `wallMs`; returns the bytes freed. */
  trimBefore(wallMs: number): number {
    let freedBytes = 0;
    for (let head = this.#segments[0]; head && head.arrivalsMs.at(-1)! < wallMs; head = this.#segments[0]) {
      freedBytes += this.dropOldestSegment();
    }
    const head = this.#segments[0];
    if (head && head.arrivalsMs[0]! < wallMs) {
      const kept = head.firstOrdinal + lowerBound(head.arrivalsMs, wallMs, 0, head.arrivalsMs.length);
      this.#firstOrdinal = Math.max(this.#firstOrdinal, kept);
    }
    return freedBytes;
  }

  /** Forgets the oldest segment; returns the bytes freed, 0 when there was none. */
  dropOldestSegment(): number {
    const segment = this.#segments.shift();
    if (!segment) return 0;
    this.#firstOrdinal = Math.max(this.#firstOrdinal, segment.firstOrdinal + segment.ends.length);
    this.#bytes -= segment.usedBytes;
    return segment.usedBytes;
  }

  #segmentWithRoom(bytes: number): Segment {
    const last = this.#segments.at(-1);
    if (last && last.usedBytes + bytes <= last.buffer.length) return last;
    const segment: Segment = {
      buffer: Buffer.allocUnsafeSlow(Math.max(this.#segmentBytes, bytes)),
      usedBytes: 0,
      firstOrdinal: this.#nextOrdinal,
      ends: [],
      arrivalsMs: [],
      payloads: [],
    };
    this.#segmentBytes = Math.min(this.#segmentBytes * 2, LARGEST_SEGMENT_BYTES);
    this.#segments.push(segment);
    return segment;
  }

  #segmentIndexOf(ordinal: number): number {
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const segment = this.#segments[middle]!;
      if (segment.firstOrdinal + segment.ends.length <= ordinal) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Adds what fits of the segment to the batch; true when its last record was taken. */
function takeFrom(segment: Segment, batch: RecordBatch, limit: number, maxPayloadBytes: number): boolean {
  const from = batch.nextOrdinal - segment.firstOrdinal;
  const payloadBefore = from === 0 ? 0 : segment.payloads[from - 1]!;
  const wantedTo = Math.min(segment.ends.length, from + limit - batch.count);
  const payloadCap = payloadBefore + maxPayloadBytes - batch.payloadBytes;
  let to = lowerBound(segment.payloads, payloadCap + 1, from, wantedTo);
  if (to === from && batch.count === 0) to = from + 1;
  if (to === from) return false;
  const startByte = from === 0 ? 0 : segment.ends[from - 1]!;
  // Each record begins with its comma; the batch's first one goes without.
  batch.parts.push(segment.buffer.subarray(batch.count === 0 ? startByte + 1 : startByte, segment.ends[to - 1]!));
  batch.count += to - from;
  batch.payloadBytes += segment.payloads[to - 1]! - payloadBefore;
  batch.nextOrdinal += to - from;
  return to === segment.ends.length;
}
