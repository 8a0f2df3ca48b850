/**
 * The leader row of lease/leadership.ts kept in a Kubernetes Lease: with it leadership has client-go's semantics. An
 * observer counts how often the record changed before its own eyes, so that expiry is judged on one monotonic clock;
 * a claim replaces exactly the version that was seen; resigning leaves the record without a holder.
 */
import type { LeaderRow, LeaderStore } from '../../lease/worker-store.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { LeaderRecord, LeaderRecords, StoredLeaderRecord } from '../leader-records.ts';

export interface RecordLeaderStoreOptions {
  readonly records: LeaderRecords;
  readonly clock: Clock;
  /** Written into the record: what others wait for. */
  readonly leaseDurationMs: number;
}

/** What client-go writes when it releases. */
const RELEASED_DURATION_MS = 1_000;

export class RecordLeaderStore implements LeaderStore {
  readonly #records: LeaderRecords;
  readonly #clock: Clock;
  readonly #leaseDurationMs: number;
  readonly #seen = new WeakMap<LeaderRow, StoredLeaderRecord>();
  #last: { readonly row: LeaderRow; readonly text: string } | undefined;

  constructor(options: RecordLeaderStoreOptions) {
    this.#records = options.records;
    this.#clock = options.clock;
    this.#leaseDurationMs = options.leaseDurationMs;
  }

  async readLeader(): Promise<LeaderRow | undefined> {
    const record = await this.#records.read();
    return record && record.holder !== '' ? this.#observe(record) : undefined;
  }

  async claimLeader(holder: string, seen: LeaderRow | undefined): Promise<LeaderRow | undefined> {
    const known = seen && this.#seen.get(seen);
    const found = known ?? (await this.#records.read());
    if (!known && found && found.holder !== '' && found.holder !== holder) return undefined;
    const won = await this.#claim(holder, found);
    if (won) return this.#observe(won);
    // An earlier claim of ours may have been written after all, its answer lost. That one counts from its own
    // beginning, so it is no answer to this claim: renew it.
    const now = await this.#records.read();
    const renewed = now?.holder === holder ? await this.#claim(holder, now) : undefined;
    return renewed && this.#observe(renewed);
  }

  async resignLeader(holder: string): Promise<void> {
    const found = await this.#records.read();
    if (found?.holder !== holder) return;
    const released = { ...found, holder: '', leaseDurationMs: RELEASED_DURATION_MS, renewedMs: this.#clock.wallMs() };
    await this.#records.write(released, found.version);
  }

  #claim(holder: string, found: StoredLeaderRecord | undefined): Promise<StoredLeaderRecord | undefined> {
    const nowMs = this.#clock.wallMs();
    const isRenewal = found?.holder === holder;
    const record: LeaderRecord = {
      holder,
      leaseDurationMs: this.#leaseDurationMs,
      acquiredMs: isRenewal ? found.acquiredMs : nowMs,
      renewedMs: nowMs,
      transitions: found && !isRenewal ? found.transitions + 1 : (found?.transitions ?? 0),
    };
    return this.#records.write(record, found?.version);
  }

  /** The same row for a record that did not change; labels and the like are no sign of life. */
  #observe(record: StoredLeaderRecord): LeaderRow {
    const { version: _version, ...said } = record;
    const text = JSON.stringify(said);
    if (this.#last?.text !== text) {
      const beats = (this.#last?.row.beats ?? 0) + 1;
      this.#last = { row: { holder: record.holder, beats, leaseDurationMs: record.leaseDurationMs }, text };
    }
    this.#seen.set(this.#last.row, record);
    return this.#last.row;
  }
}
