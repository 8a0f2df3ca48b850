/**
 * LeaseStore in memory, with the conditions of the protocol written once more, independently of the adapter: the
 * contract suite holds the two together. Failures are injected by `faults`.
 */
import { isDeepStrictEqual } from 'node:util';
import { BrokenRow } from '../../lease/broken-row.ts';
import type { Lease, LeaseKey, NewLease } from '../../lease/lease.ts';
import type { LeaseStore, OwnedLease, RemoveOutcome, SeenLease, WriteOutcome } from '../../lease/lease-store.ts';
import type { Checkpoint, Position } from '../../lease/position.ts';
import { buildLease } from './lease-builder.ts';
import { StoreFaults } from './store-faults.ts';

type Row = { -readonly [K in keyof Lease]: Lease[K] };

export class FakeLeaseStore implements LeaseStore {
  readonly faults = new StoreFaults();
  /** Keys of rows that cannot be understood: a write happens, and its answer says so. */
  readonly broken = new Set<LeaseKey>();
  readonly #rows: Map<LeaseKey, Lease>;

  /** Several stores over the same rows are several processes, each with failures of its own. */
  constructor(rows: Map<LeaseKey, Lease> = new Map()) {
    this.#rows = rows;
  }

  create(lease: NewLease): Promise<WriteOutcome> {
    return this.faults.around('create', () => {
      const found = this.#rows.get(lease.key);
      if (found) return { won: false, lease: this.#understood(lease.key, found) };
      const created = buildLease({ ...lease, parents: sorted(lease.parents) });
      this.#rows.set(lease.key, created);
      return { won: true, lease: created };
    });
  }

  assign(seen: SeenLease, owner: string): Promise<WriteOutcome> {
    return this.#write('assign', seen, (row, g) => {
      if (isHeld(row, owner, g + 1)) return 'done';
      if (row.owner !== undefined || row.checkpoint.kind === 'SHARD_END' || row.generation !== g) return 'lost';
      row.owner = owner;
      row.generation++;
      return 'done';
    });
  }

  take(seen: SeenLease, from: string, owner: string): Promise<WriteOutcome> {
    return this.#write('take', seen, (row, g) => {
      if (isHeld(row, owner, g + 1)) return 'done';
      if (!isHeld(row, from, g)) return 'lost';
      row.owner = owner;
      row.generation++;
      row.ownerSwitchesSinceCheckpoint++;
      return 'done';
    });
  }

  handoff(seen: SeenLease, from: string, to: string): Promise<WriteOutcome> {
    return this.#write('handoff', seen, (row, g) => {
      if (isHanding(row, from, to, g)) return 'done';
      if (!isHeld(row, from, g)) return 'lost';
      row.owner = to;
      row.checkpointOwner = from;
      return 'done';
    });
  }

  retarget(seen: SeenLease, old: string, from: string, to: string): Promise<WriteOutcome> {
    return this.#write('retarget', seen, (row, g) => {
      if (isHanding(row, old, to, g)) return 'done';
      if (!isHanding(row, old, from, g)) return 'lost';
      row.owner = to;
      return 'done';
    });
  }

  force(seen: SeenLease, old: string): Promise<WriteOutcome> {
    return this.#write('force', seen, (row, g) => endHandoff(row, old, g));
  }

  release(owned: OwnedLease, deliveredTo?: Position): Promise<WriteOutcome> {
    return this.#write('release', owned, (row, g) => {
      const isFirst = row.generation === g;
      const outcome = endHandoff(row, owned.workerId, g);
      if (isFirst && outcome === 'done' && deliveredTo !== undefined) {
        row.deliveredTo = { position: deliveredTo, generation: g };
      }
      return outcome;
    });
  }

  reset(seen: SeenLease, checkpoint: Checkpoint): Promise<WriteOutcome> {
    return this.#write('reset', seen, (row, g) => {
      const isUnowned = row.owner === undefined && row.checkpointOwner === undefined;
      const isThere = isDeepStrictEqual([row.checkpoint, row.resetFloor], [checkpoint, checkpoint]);
      if (isUnowned && row.generation === g + 1 && isThere) return 'done';
      if (row.generation !== g) return 'lost';
      for (const name of ['owner', 'checkpointOwner', 'pending'] as const) delete row[name];
      row.checkpoint = checkpoint;
      row.resetFloor = checkpoint;
      row.generation++;
      return 'done';
    });
  }

  remove(seen: SeenLease): Promise<RemoveOutcome> {
    return this.#remove('remove', seen.key, (row) => row.generation === seen.generation);
  }

  lift(owned: OwnedLease, above: number): Promise<WriteOutcome> {
    return this.#write('lift', owned, (row) => {
      if (row.generation === above + 1 && (row.checkpointOwner ?? row.owner) === owned.workerId) return 'done';
      if (!isMine(row, owned)) return 'lost';
      row.generation = above + 1;
      return 'done';
    });
  }

  discard(owned: OwnedLease): Promise<RemoveOutcome> {
    return this.#remove('discard', owned.key, (row) => isMine(row, owned));
  }

  addChildren(key: LeaseKey, children: readonly string[]): Promise<WriteOutcome> {
    return this.#write('addChildren', { key, generation: 0 }, (row) => {
      row.children = sorted([...row.children, ...children]);
      return 'done';
    });
  }

  free(owned: OwnedLease): Promise<WriteOutcome> {
    return this.#write('free', owned, (row, g) => {
      const isFree = row.owner === undefined && row.checkpointOwner === undefined && row.generation === g;
      if (isFree && row.checkpoint.kind !== 'SHARD_END') return 'done';
      if (!isHeld(row, owned.workerId, g)) return 'lost';
      delete row.owner;
      return 'done';
    });
  }

  prepare(owned: OwnedLease, position: Position, version: number): Promise<WriteOutcome> {
    return this.#write('prepare', owned, (row) => {
      if (!isMine(row, owned) || row.checkpointVersion > version) return 'lost';
      row.pending = position;
      row.checkpointVersion = version;
      return 'done';
    });
  }

  checkpoint(owned: OwnedLease, checkpoint: Checkpoint, version: number): Promise<WriteOutcome> {
    return this.#write('checkpoint', owned, (row) => {
      if (checkpoint.kind === 'SHARD_END') throw new Error('the end of a shard is written by shardEnd');
      if (!isMine(row, owned) || row.checkpointVersion > version) return 'lost';
      row.checkpoint = checkpoint;
      delete row.pending;
      row.checkpointVersion = version;
      row.ownerSwitchesSinceCheckpoint = 0;
      return 'done';
    });
  }

  shardEnd(owned: OwnedLease, version: number): Promise<WriteOutcome> {
    return this.#write('shardEnd', owned, (row, g) => {
      const isOver = row.checkpoint.kind === 'SHARD_END' && row.owner === undefined;
      if (isOver && row.generation === g && row.checkpointVersion === version) return 'done';
      if (!isMine(row, owned) || row.checkpointVersion > version) return 'lost';
      row.checkpoint = { kind: 'SHARD_END' };
      row.checkpointVersion = version;
      for (const name of ['owner', 'checkpointOwner', 'pending'] as const) delete row[name];
      return 'done';
    });
  }

  bind(owned: OwnedLease, ledgerId: string, ledgerStart: string): Promise<WriteOutcome> {
    return this.#write('bind', owned, (row) => {
      if (!isMine(row, owned)) return 'lost';
      row.ledgerId = ledgerId;
      row.ledgerStart = ledgerStart;
      return 'done';
    });
  }

  read(key: LeaseKey): Promise<Lease | undefined> {
    return this.faults.around('read', () => this.#understood(key, this.#rows.get(key)));
  }

  readAll(onBroken?: (row: BrokenRow) => void): Promise<Lease[]> {
    return this.faults.around('readAll', () => {
      for (const key of this.broken) onBroken?.(brokenRow(key));
      return [...this.#rows.values()].filter(({ key }) => !this.broken.has(key));
    });
  }

  /** What a person with a console does: puts a row as it likes. */
  put(lease: Lease): void {
    this.#rows.set(lease.key, lease);
  }

  /** What a person with a console does: deletes a row. */
  deleteByHand(key: LeaseKey): void {
    this.#rows.delete(key);
  }

  /** The row as it is, without a call that could fail. */
  peek(key: LeaseKey): Lease | undefined {
    return this.#rows.get(key);
  }

  #remove(method: string, key: LeaseKey, isLegal: (row: Lease) => boolean): Promise<RemoveOutcome> {
    return this.faults.around(method, () => {
      const found = this.#rows.get(key);
      if (found && !isLegal(found)) return { won: false, lease: found };
      this.#rows.delete(key);
      return { won: true, lease: undefined };
    });
  }

  #write(method: string, seen: SeenLease, change: (row: Row, g: number) => 'done' | 'lost'): Promise<WriteOutcome> {
    return this.faults.around(method, () => {
      const found = this.#rows.get(seen.key);
      if (!found) return { won: false, lease: undefined };
      const row: Row = { ...found };
      if (change(row, seen.generation) === 'lost') return { won: false, lease: this.#understood(seen.key, found) };
      this.#rows.set(seen.key, row);
      return { won: true, lease: this.#understood(seen.key, row) };
    });
  }

  #understood<T>(key: LeaseKey, row: T): T {
    if (this.broken.has(key)) throw brokenRow(key);
    return row;
  }
}

function brokenRow(key: LeaseKey): BrokenRow {
  return new BrokenRow(key, 'checkpoint', 'is neither a sequence number nor a sentinel: garbage');
}

function endHandoff(row: Row, old: string, g: number): 'done' | 'lost' {
  if (row.owner !== undefined && row.checkpointOwner === undefined && row.generation === g + 1) return 'done';
  if (row.checkpointOwner !== old || row.generation !== g) return 'lost';
  delete row.checkpointOwner;
  row.generation++;
  return 'done';
}

function isHeld(row: Lease, owner: string, generation: number): boolean {
  return row.owner === owner && row.checkpointOwner === undefined && row.generation === generation;
}

function isHanding(row: Lease, old: string, to: string, generation: number): boolean {
  return row.owner === to && row.checkpointOwner === old && row.generation === generation;
}

function isMine(row: Lease, owned: OwnedLease): boolean {
  return row.generation === owned.generation && (row.checkpointOwner ?? row.owner) === owned.workerId;
}

function sorted(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].sort((a, b) => (a < b ? -1 : 1));
}
