/**
 * How a source fares, as plain numbers: counted where it happens, published by whoever scrapes.
 */

/** Records after the start may be gone that nobody read: the record of the start itself is. */
export interface Trim {
  readonly after: string;
  /** Arrival of the oldest record left, milliseconds since 1970. */
  readonly oldestLeftMs: number;
  /** Arrival time before which nothing is kept; undefined = nobody can say. */
  readonly horizonMs: number | undefined;
}

export interface SourceStatus {
  /** Calls of GetRecords that were answered. */
  readonly reads: number;
  /** Calls refused because of the rate. */
  readonly throttled: number;
  /** Calls that failed otherwise. */
  readonly failures: number;
  /** Name of the last failure; stays after a recovery. */
  readonly lastError: string | undefined;
  /** What keeps this shard from being read until it mends: an error's name. Absent while all is well. */
  readonly condition: string | undefined;
  /** Wall clock, milliseconds since 1970, since calls fail in a row; absent while they succeed. */
  readonly degradedSinceMs: number | undefined;
  /** 1 when records between the start and the oldest record left had been trimmed by retention. */
  readonly trimmed: number;
  /** The one that `trimmed` counts; absent when there was none. */
  readonly trim?: Trim | undefined;
  /** Records read and not handed out. */
  readonly recordsAhead: number;
  /** Monotonic times of the first iterator and of the first answer; absent before. */
  readonly firstIteratorMs?: number | undefined;
  readonly firstAnswerMs?: number | undefined;
}
