/**
 * What the worker counts of its flow, as plain numbers: added to once per batch by the loop, published by metrics.ts.
 * Of the process, not of a shard.
 */
import type { Judged } from '../ledger/judged.ts';
import type { LossReason } from './stop-reason.ts';

/** A histogram as plain numbers; the metric's values are made from it at a scrape. */
export class Distribution {
  /** Upper bounds in seconds, ascending. */
  readonly bounds: readonly number[];
  /** One more than bounds: the last counts what is above all. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(seconds: number): void {
    let bound = 0;
    while (bound < this.bounds.length && seconds > this.bounds[bound]!) bound += 1;
    this.counts[bound]! += 1;
    this.sum += seconds;
  }
}

/** Taken up: open, read, commit. Given back: finish, checkpoint, release. */
const HANDOVER_STEPS = ['open', 'read', 'commit', 'finish', 'checkpoint', 'release'] as const;
export type HandoverStep = (typeof HANDOVER_STEPS)[number];
const HANDOVER_BOUNDS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 30];

export class FlowCounts {
  records = 0;
  bytes = 0;
  fresh = 0;
  duplicate = 0;
  replayed = 0;
  healed = 0;
  outsideRange = 0;
  readonly formats = new Map<string, number>();
  readonly undecodable = new Map<string, number>();
  readonly batchSeconds = new Distribution([0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30]);
  readonly arrivalToCountedSeconds = new Distribution([0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30, 60, 300, 3600]);
  /** Steps of a change of owner, see handover.ts. */
  readonly handoverSeconds = new Map(HANDOVER_STEPS.map((step) => [step, new Distribution(HANDOVER_BOUNDS)]));
  checkpoints = 0;
  reopenings = 0;
  deadLettersStored = 0;
  deadLettersDropped = 0;
  readonly leasesLost = new Map<LossReason, number>();
  /** Leases removed because the stream had their shard no more. */
  shardsGone = 0;
  /** Openings that found records trimmed by retention that nobody had read, and over how much arrival time. */
  trims = 0;
  trimmedMs = 0;
  /** Throttled reads of sources that were closed; those of open ones are asked for. */
  throttledReads = 0;

  /** Once per batch. */
  recordBatch(judged: Judged, startedMs: number, endedMs: number, wallMs: number): void {
    const { count, starts, ends, outsideRange = 0 } = judged.batch.records;
    this.outsideRange += outsideRange;
    if (count === 0) return;
    this.records += count;
    for (let i = 0; i < count; i++) this.bytes += ends[i]! - starts[i]!;
    this.fresh += judged.counts.fresh;
    this.duplicate += judged.counts.duplicate;
    this.replayed += judged.counts.replayed;
    for (const [format, count] of judged.batch.formatCounts) add(this.formats, format, count);
    for (const { index, reason } of judged.batch.rejected) {
      if (judged.replayed[index] === 0) add(this.undecodable, reason, 1);
    }
    this.batchSeconds.observe((endedMs - startedMs) / 1_000);
    this.#observeArrivals(judged, wallMs);
  }

  sawTrim(gapMs: number): void {
    this.trims += 1;
    this.trimmedMs += gapMs;
  }

  observeHandover(step: HandoverStep, ms: number): void {
    this.handoverSeconds.get(step)?.observe(ms / 1_000);
  }

  leaseLost(reason: LossReason): void {
    add(this.leasesLost, reason, 1);
  }

  #observeArrivals({ batch, replayed }: Judged, wallMs: number): void {
    const { arrivalsMs, count } = batch.records;
    for (let i = 0; i < count; i++) {
      if (replayed[i] === 0) this.arrivalToCountedSeconds.observe(Math.max(0, wallMs - arrivalsMs[i]!) / 1_000);
    }
  }
}

function add<K>(counts: Map<K, number>, key: K, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
