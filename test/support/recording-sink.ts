/** A StreamingSink that keeps what it is given, in order, and can hang as one does whose other side is away. */
import type { LeaseKey } from '../../lease/lease.ts';
import { positionAt } from '../../worker/ledger/batch-part.ts';
import { FRESH, type Judged } from '../../worker/ledger/judged.ts';
import { untilAborted } from '../../worker/ledger/waiting.ts';
import type { StreamingSink } from '../../worker/sink/streaming-sink.ts';

export class RecordingSink implements StreamingSink {
  /** Positions with their payloads, `<position> <payload>`. */
  readonly delivered: string[] = [];
  isAway = false;

  async deliver(_: LeaseKey, { batch, judgements }: Judged, from: number, signal: AbortSignal): Promise<void> {
    if (this.isAway) await untilAborted(new Promise<never>(() => undefined), signal);
    const { bytes, starts, ends, positions, count } = batch.records;
    for (let i = from; i < count; i++) {
      if (judgements[i] !== FRESH) continue;
      const payload = Buffer.from(bytes.subarray(starts[i], ends[i])).toString();
      this.delivered.push(`${positionAt(positions, i)} ${payload}`);
    }
  }
}
