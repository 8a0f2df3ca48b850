/**
 * What one shard may read and write per second. Reads: 5 calls and 2 MiB in any second, where a large answer blocks
 * the shard for as long as 2 MiB/s would have taken (10 MiB: 5 s, at least 1 s). Writes: 1,000 records and 1 MiB per
 * second with one second of burst; a record larger than the burst runs into debt. Times are monotonic milliseconds.
 */

const READ_CALLS_PER_SECOND = 5;
const READ_BYTES_PER_SECOND = 2 * 1024 * 1024;
const WRITE_RECORDS_PER_SECOND = 1000;
const WRITE_BYTES_PER_SECOND = 1024 * 1024;

export class ReadLimit {
  #recent: { atMs: number; bytes: number }[] = [];
  #blockedUntilMs = Number.NEGATIVE_INFINITY;

  /** Counts the call if there is room for it; a refused call costs nothing. */
  admit(nowMs: number): boolean {
    if (nowMs < this.#blockedUntilMs) return false;
    this.#recent = this.#recent.filter((call) => call.atMs > nowMs - 1000);
    if (this.#recent.length >= READ_CALLS_PER_SECOND) return false;
    this.#recent.push({ atMs: nowMs, bytes: 0 });
    return true;
  }

  /** Charges what the call admitted last returned. */
  charge(nowMs: number, bytes: number): void {
    const call = this.#recent.at(-1);
    if (!call) return;
    call.bytes = bytes;
    const bytesInLastSecond = this.#recent.reduce((sum, recent) => sum + recent.bytes, 0);
    if (bytesInLastSecond > READ_BYTES_PER_SECOND) {
      this.#blockedUntilMs = nowMs + Math.max(1000, (bytes / READ_BYTES_PER_SECOND) * 1000);
    }
  }
}

export class WriteLimit {
  #records = WRITE_RECORDS_PER_SECOND;
  #bytes = WRITE_BYTES_PER_SECOND;
  #filledAtMs: number | undefined;

  /** Counts the record if there is room for it; a refused record costs nothing. */
  admit(nowMs: number, bytes: number): boolean {
    const elapsedSeconds = (nowMs - (this.#filledAtMs ?? nowMs)) / 1000;
    this.#filledAtMs = nowMs;
    this.#records = Math.min(WRITE_RECORDS_PER_SECOND, this.#records + elapsedSeconds * WRITE_RECORDS_PER_SECOND);
    this.#bytes = Math.min(WRITE_BYTES_PER_SECOND, this.#bytes + elapsedSeconds * WRITE_BYTES_PER_SECOND);
    if (this.#records < 1 || this.#bytes < Math.min(bytes, WRITE_BYTES_PER_SECOND)) return false;
    this.#records -= 1;
    this.#bytes -= bytes;
    return true;
  }
}
