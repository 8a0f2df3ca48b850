/**
 * A polling source over a scripted Kinesis on a clock that the test turns, and short ways to read from it.
 */
import { silentLogger } from '../../runtime/logger.ts';
import { ByteBudget } from '../../worker/source/byte-budget.ts';
import { DEFAULT_SOURCE_SETTINGS } from '../../worker/source/open-source.ts';
import { openPollingSource, type PollingSettings } from '../../worker/source/polling.ts';
import type { RawBatch } from '../../worker/source/raw-batch.ts';
import { ShardListing } from '../../worker/source/shard-listing.ts';
import type { ShardSource, SourceStart } from '../../worker/source/shard-source.ts';
import { FakeClock } from './fake-clock.ts';
import { ScriptedKinesis, SHARD } from './scripted-kinesis.ts';

export class PolledShard {
  readonly clock = new FakeClock();
  readonly kinesis = new ScriptedKinesis(() => this.clock.monotonicMs());
  readonly budget = new ByteBudget(64 * 1024 * 1024);
  readonly stop = new AbortController();

  open(
    start: SourceStart = { kind: 'TRIM_HORIZON' },
    settings: Partial<PollingSettings> = {},
    epoch?: number,
  ): ShardSource {
    return openPollingSource({
      shardId: SHARD,
      start,
      creationEpochSeconds: epoch,
      reads: this.kinesis,
      listing: new ShardListing(this.kinesis, this.clock),
      budget: this.budget,
      clock: this.clock,
      logger: silentLogger,
      random: () => 0.5,
      settings: { ...DEFAULT_SOURCE_SETTINGS, ...settings },
    });
  }

  /** The next batch, letting time pass until it comes; not released. */
  async next(source: ShardSource): Promise<RawBatch> {
    const batch = await this.clock.runUntil(source.next(this.stop.signal));
    if (!batch) throw new Error('the source was closed');
    return batch;
  }

  /** Reads and releases batches until `isEnough` of what was read; the payloads as text, and the last batch. */
  async readUntil(
    source: ShardSource,
    isEnough: (payloads: readonly string[], batch: RawBatch) => boolean,
  ): Promise<{ payloads: string[]; last: RawBatch }> {
    const payloads: string[] = [];
    for (let turn = 0; turn < 1_000; turn++) {
      const batch = await this.next(source);
      payloads.push(...payloadsOf(batch));
      source.release(batch);
      if (isEnough(payloads, batch)) return { payloads, last: batch };
    }
    throw new Error('never enough');
  }
}

/** The payloads of a batch as text. */
export function payloadsOf(batch: RawBatch): string[] {
  return Array.from({ length: batch.count }, (_, i) =>
    Buffer.from(batch.bytes.subarray(batch.starts[i], batch.ends[i])).toString(),
  );
}

/** r0 … r<count - 1>, as ScriptedKinesis.writeMany names them. */
export function names(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) => `r${from + i}`);
}
