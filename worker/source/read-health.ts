/**
 * Counts how one shard's calls fare and says so once per change: a log line when it becomes degraded, one when it
 * recovers. Neighbours: source-status.ts (what is counted), shard-reader.ts (who calls).
 */
import type { Clock } from '../../runtime/clock.ts';
import { errorFields, type Logger } from '../../runtime/logger.ts';
import { classifyReadError, type ReadFailureKind } from './read-errors.ts';
import type { SourceStatus, Trim } from './source-status.ts';

/** Throttling and lost connections are daily business: they are a line in the log only when they last. */
const FAILURES_WORTH_A_LINE = 5;

export class ReadHealth {
  readonly #clock: Clock;
  readonly #logger: Logger;
  #reads = 0;
  #throttled = 0;
  #failures = 0;
  #trim: Trim | undefined;
  #firstIteratorMs: number | undefined;
  #firstAnswerMs: number | undefined;
  #failuresInARow = 0;
  #lastError: string | undefined;
  #condition: string | undefined;
  #degradedSinceMs: number | undefined;
  /** The failure that the log has; undefined = all is well, as far as the log knows. */
  #logged: string | undefined;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  hasIterator(): void {
    this.#firstIteratorMs ??= this.#clock.monotonicMs();
  }

  succeeded(): void {
    this.#reads++;
    this.#firstAnswerMs ??= this.#clock.monotonicMs();
    if (this.#failuresInARow === 0) return;
    if (this.#logged !== undefined) this.#logger.info('shard reads recovered', { failures: this.#failuresInARow });
    this.#failuresInARow = 0;
    this.#condition = undefined;
    this.#degradedSinceMs = undefined;
    this.#logged = undefined;
  }

  failed(error: unknown): ReadFailureKind {
    const { kind, name } = classifyReadError(error);
    this.#lastError = name;
    this.#failuresInARow++;
    if (kind === 'throttled') this.#throttled++;
    else this.#failures++;
    if (kind === 'expired' && this.#failuresInARow === 1) return kind;
    this.#degradedSinceMs ??= this.#clock.wallMs();
    const isLasting = kind === 'unknownPlace' || kind === 'refused';
    this.#condition = isLasting ? name : undefined;
    if (name !== this.#logged && (isLasting || this.#failuresInARow >= FAILURES_WORTH_A_LINE)) {
      this.#logged = name;
      this.#logger.warn('shard cannot be read', { kind, ...errorFields(error) });
    }
    return kind;
  }

  recordsTrimmed(trim: Trim): void {
    this.#trim = trim;
  }

  status(recordsAhead: number): SourceStatus {
    return {
      reads: this.#reads,
      throttled: this.#throttled,
      failures: this.#failures,
      lastError: this.#lastError,
      condition: this.#condition,
      degradedSinceMs: this.#degradedSinceMs,
      trimmed: this.#trim ? 1 : 0,
      trim: this.#trim,
      recordsAhead,
      firstIteratorMs: this.#firstIteratorMs,
      firstAnswerMs: this.#firstAnswerMs,
    };
  }
}
