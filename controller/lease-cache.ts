/**
 * The lease rows as this leading controller knows them: kept by its own writes, by reads of single rows, and by a
 * full scan now and then. Every write through it is conditional on what is cached, so an old entry costs a lost race
 * and never a wrong owner; a lost race brings the true row, and a scan soon.
 */
import { BrokenRow } from '../lease/broken-row.ts';
import type { Lease, LeaseKey, NewLease } from '../lease/lease.ts';
import type { ControllerLeaseWrites, LeaseReads, RemoveOutcome, WriteOutcome } from '../lease/lease-store.ts';
import type { Checkpoint } from '../lease/position.ts';

export interface LeaseCacheOptions {
  readonly store: ControllerLeaseWrites & LeaseReads;
  /** Told of each write that was lost to somebody else's. */
  readonly onLost: (operation: string, key: LeaseKey) => void;
}

interface Entry {
  readonly lease: Lease | undefined;
  /** Number of the event that brought it: a scan that began before it is older. */
  readonly turn: number;
}

const BROKEN = Symbol('broken');

export class LeaseCache {
  readonly #store: ControllerLeaseWrites & LeaseReads;
  readonly #onLost: (operation: string, key: LeaseKey) => void;
  readonly #entries = new Map<LeaseKey, Entry>();
  readonly #hinted = new Set<LeaseKey>();
  /** Rows that could not be understood when they were last looked at: nothing is known of their leases. */
  readonly #broken = new Map<LeaseKey, BrokenRow>();
  #turn = 0;
  /** Made when it is asked for, dropped when an entry changes. */
  #all: readonly Lease[] | undefined;
  #scans = 0;
  #lost = false;

  constructor(options: LeaseCacheOptions) {
    this.#store = options.store;
    this.#onLost = options.onLost;
  }

  /** Has there been a full scan in this term? Before it, absent rows mean nothing. */
  isComplete(): boolean {
    return this.#scans > 0;
  }

  /** Full scans of this term: another number = the rows were all read anew. */
  get scans(): number {
    return this.#scans;
  }

  /** Was a condition lost since the last scan? Then the picture is older than somebody else's writes. */
  isDoubtful(): boolean {
    return this.#lost;
  }

  get(key: LeaseKey): Lease | undefined {
    return this.#entries.get(key)?.lease;
  }

  /** The same array until something changes: what is derived from it may be kept with it. */
  all(): readonly Lease[] {
    this.#all ??= [...this.#entries.values()].flatMap(({ lease }) => lease ?? []);
    return this.#all;
  }

  broken(): ReadonlyMap<LeaseKey, BrokenRow> {
    return this.#broken;
  }

  /** Somebody says that this row changed: read it at the next turn. Unknown keys are not worth a read. */
  hint(key: LeaseKey): void {
    if (this.get(key)) this.#hinted.add(key);
  }

  /** The rows hinted at since the last call. */
  takeHinted(): LeaseKey[] {
    const keys = [...this.#hinted];
    this.#hinted.clear();
    return keys;
  }

  async scan(): Promise<void> {
    const began = ++this.#turn;
    this.#lost = false;
    const broken: BrokenRow[] = [];
    const leases = await this.#store.readAll((row) => broken.push(row));
    const found = new Map(leases.map((lease) => [lease.key, lease]));
    this.#broken.clear();
    for (const row of broken) this.#broken.set(row.key, row);
    for (const [key, entry] of this.#entries) {
      if (entry.turn < began && !found.has(key)) this.#forget(key);
    }
    for (const [key, lease] of found) {
      const entry = this.#entries.get(key);
      if (!entry || entry.turn < began) this.#put(key, { lease, turn: began });
    }
    this.#scans += 1;
  }

  async refresh(key: LeaseKey): Promise<void> {
    const began = ++this.#turn;
    const lease = await this.#understood(key, this.#store.read(key));
    if (lease === BROKEN) return;
    const entry = this.#entries.get(key);
    if (!entry || entry.turn < began) this.#put(key, { lease, turn: began });
  }

  async create(lease: NewLease): Promise<boolean> {
    if (this.#broken.has(lease.key)) return false;
    const outcome = await this.#understood(lease.key, this.#store.create(lease));
    if (outcome === BROKEN) return false;
    this.#put(lease.key, { lease: outcome.lease, turn: ++this.#turn });
    return outcome.won;
  }

  assign(lease: Lease, owner: string): Promise<boolean> {
    return this.#write('assign', lease.key, this.#store.assign(lease, owner));
  }

  take(lease: Lease, from: string, owner: string): Promise<boolean> {
    return this.#write('take', lease.key, this.#store.take(lease, from, owner));
  }

  handoff(lease: Lease, from: string, to: string): Promise<boolean> {
    return this.#write('handoff', lease.key, this.#store.handoff(lease, from, to));
  }

  retarget(lease: Lease, old: string, from: string, to: string): Promise<boolean> {
    return this.#write('retarget', lease.key, this.#store.retarget(lease, old, from, to));
  }

  force(lease: Lease, old: string): Promise<boolean> {
    return this.#write('force', lease.key, this.#store.force(lease, old));
  }

  addChildren(key: LeaseKey, children: readonly string[]): Promise<boolean> {
    return this.#write('addChildren', key, this.#store.addChildren(key, children));
  }

  reset(lease: Lease, checkpoint: Checkpoint): Promise<boolean> {
    return this.#write('reset', lease.key, this.#store.reset(lease, checkpoint));
  }

  /** True when the row is gone. */
  remove(lease: Lease): Promise<boolean> {
    return this.#write('remove', lease.key, this.#store.remove(lease));
  }

  #put(key: LeaseKey, entry: Entry): void {
    this.#entries.set(key, entry);
    this.#all = undefined;
  }

  #forget(key: LeaseKey): void {
    this.#entries.delete(key);
    this.#all = undefined;
  }

  /** A row that is broken is out of the picture until it is mended: what it says is not known, and others go on. */
  async #understood<T>(key: LeaseKey, answer: Promise<T>): Promise<T | typeof BROKEN> {
    try {
      const understood = await answer;
      this.#broken.delete(key);
      return understood;
    } catch (error) {
      if (!(error instanceof BrokenRow)) throw error;
      this.#broken.set(key, error);
      this.#forget(key);
      return BROKEN;
    }
  }

  async #write(operation: string, key: LeaseKey, write: Promise<WriteOutcome | RemoveOutcome>): Promise<boolean> {
    const outcome = await this.#understood(key, write);
    if (outcome === BROKEN) return false;
    this.#put(key, { lease: outcome.lease, turn: ++this.#turn });
    if (!outcome.won) {
      this.#lost = true;
      this.#onLost(operation, key);
    }
    return outcome.won;
  }
}
