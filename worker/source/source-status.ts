/**
 * How a source fares, as plain numbers: counted where it happens, published by whoever scrapes.
 */

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
  /** Records read and not handed out. */
  readonly recordsAhead: number;
}
