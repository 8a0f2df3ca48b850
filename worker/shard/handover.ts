/**
 * How long a change of owner takes, step by step, as this worker sees its own side of it: one log line for a shard taken
 * up, one for a shard given back, and one observation per step in the worker's counts. The time in which a shard's
 * records were not counted lies between the last commit of one owner and the first of the next. Marks only: it decides
 * nothing, and nothing here is done per record.
 *
 * Taken up:   claimed --open--> slots open; claimed --iterator--> --read--> first answer; handed out --commit--> counted
 * Given back: asked --finish--> loop ended --checkpoint--> --release--> the lease has its next owner
 */
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { ShardSource } from '../source/shard-source.ts';
import type { FlowCounts } from './flow-counts.ts';

export class Handover {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #counts: FlowCounts;
  readonly #claimedMs: number;
  #openedMs: number | undefined;
  #isCounted: boolean = false;
  #askedMs: number | undefined;
  #finishedMs = 0;
  #checkpointedMs = 0;

  /** Made when the lease row says that the shard is this worker's. */
  constructor(clock: Clock, logger: Logger, counts: FlowCounts) {
    this.#clock = clock;
    this.#logger = logger;
    this.#counts = counts;
    this.#claimedMs = clock.monotonicMs();
  }

  /** Every slot is open: once, a later opening changes no owner. */
  opened(): void {
    if (this.#openedMs !== undefined) return;
    this.#openedMs = this.#clock.monotonicMs();
    this.#counts.observeHandover('open', this.#openedMs - this.#claimedMs);
  }

  /** Records that nobody had counted are counted: the first time, the shard is taken up. */
  counted(source: Pick<ShardSource, 'status'>, handedOutMs: number): void {
    if (this.#isCounted) return;
    this.#isCounted = true;
    const countedMs = this.#clock.monotonicMs();
    const { firstIteratorMs, firstAnswerMs } = source.status();
    if (firstIteratorMs === undefined || firstAnswerMs === undefined) return;
    this.#counts.observeHandover('read', firstAnswerMs - firstIteratorMs);
    this.#counts.observeHandover('commit', countedMs - handedOutMs);
    this.#logger.info('shard taken up', {
      openedMs: this.#sinceClaim(this.#openedMs ?? countedMs),
      iteratorMs: this.#sinceClaim(firstIteratorMs),
      answeredMs: this.#sinceClaim(firstAnswerMs),
      handedOutMs: this.#sinceClaim(handedOutMs),
      countedMs: this.#sinceClaim(countedMs),
    });
  }

  /** The worker is to give the shard back. */
  asked(): void {
    this.#askedMs ??= this.#clock.monotonicMs();
  }

  /** The loop has ended: nothing is outstanding. */
  finished(): void {
    this.#finishedMs = this.#clock.monotonicMs();
  }

  checkpointed(): void {
    this.#checkpointedMs = this.#clock.monotonicMs();
  }

  released(): void {
    const releasedMs = this.#clock.monotonicMs();
    const askedMs = this.#askedMs ?? this.#finishedMs;
    const steps = {
      finish: this.#finishedMs - askedMs,
      checkpoint: this.#checkpointedMs - this.#finishedMs,
      release: releasedMs - this.#checkpointedMs,
    };
    this.#counts.observeHandover('finish', steps.finish);
    this.#counts.observeHandover('checkpoint', steps.checkpoint);
    this.#counts.observeHandover('release', steps.release);
    const [finishMs, checkpointMs, releaseMs] = Object.values(steps).map(rounded);
    this.#logger.info('shard given back', { finishMs, checkpointMs, releaseMs });
  }

  #sinceClaim(atMs: number): number {
    return rounded(atMs - this.#claimedMs);
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
