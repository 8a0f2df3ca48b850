/**
 * Cuts of pages as the columns of a batch. One cut shares the page's bytes; several are copied together into a block
 * of their own, which pays only for small ones (read-ahead.ts sees to that). Pure.
 */
import type { RecordPage } from './kinesis-reads.ts';
import type { RawBatch } from './raw-batch.ts';

/** `count` records of the page, from record `from` on. */
export interface PageCut {
  readonly page: RecordPage;
  readonly from: number;
  readonly count: number;
}

export type RecordColumns = Pick<RawBatch, 'count' | 'bytes' | 'starts' | 'ends' | 'sequenceNumbers' | 'arrivalsMs'>;

export const NO_RECORDS: RecordColumns = {
  count: 0,
  bytes: new Uint8Array(0),
  starts: new Uint32Array(0),
  ends: new Uint32Array(0),
  sequenceNumbers: [],
  arrivalsMs: new Float64Array(0),
};

/** Payload bytes of the cut. */
export function bytesOf({ page, from, count }: PageCut): number {
  return count === 0 ? 0 : page.ends[from + count - 1]! - page.starts[from]!;
}

/** Without copying payloads. */
export function shareCut({ page, from, count }: PageCut): RecordColumns {
  const to = from + count;
  return {
    count,
    bytes: page.bytes,
    starts: page.starts.subarray(from, to),
    ends: page.ends.subarray(from, to),
    sequenceNumbers: page.sequenceNumbers.slice(from, to),
    arrivalsMs: page.arrivalsMs.subarray(from, to),
  };
}

/** One after the other, in a new block of bytes. */
export function gatherCuts(cuts: readonly PageCut[]): RecordColumns {
  const count = cuts.reduce((sum, cut) => sum + cut.count, 0);
  const bytes = Buffer.allocUnsafeSlow(cuts.reduce((sum, cut) => sum + bytesOf(cut), 0));
  const starts = new Uint32Array(count);
  const ends = new Uint32Array(count);
  const arrivalsMs = new Float64Array(count);
  const sequenceNumbers: string[] = [];
  let offset = 0;
  for (const { page, from, count: length } of cuts) {
    const shift = offset - page.starts[from]!;
    const first = sequenceNumbers.length;
    for (let i = 0; i < length; i++) {
      starts[first + i] = page.starts[from + i]! + shift;
      ends[first + i] = page.ends[from + i]! + shift;
      arrivalsMs[first + i] = page.arrivalsMs[from + i]!;
      sequenceNumbers.push(page.sequenceNumbers[from + i]!);
    }
    bytes.set(page.bytes.subarray(page.starts[from], page.ends[from + length - 1]), offset);
    offset = ends[first + length - 1]!;
  }
  return { count, bytes, starts, ends, sequenceNumbers, arrivalsMs };
}
