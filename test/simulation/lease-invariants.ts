/**
 * What must hold of the lease rows in every state, looked at in the moment a row changes: who owns, in which generation,
 * how far, and that the ledger's settled writes cover it.
 */
import type { Lease, LeaseKey } from '../../lease/lease.ts';
import { isFinished } from '../../lease/lease.ts';
import { checkpointPosition, type Position } from '../../lease/position.ts';
import type { SimRedis } from './redis.ts';
import type { SimStream } from './stream.ts';
import { shortly } from './trace.ts';
import type { Truth } from './truth.ts';
import type { Verdict } from './verdict.ts';

/** Lease rows that tell of their changes. */
export class WatchedRows extends Map<LeaseKey, Lease> {
  onChange: (before: Lease | undefined, after: Lease | undefined) => void = () => undefined;

  override set(key: LeaseKey, lease: Lease): this {
    const before = this.get(key);
    super.set(key, lease);
    this.onChange(before, lease);
    return this;
  }

  override delete(key: LeaseKey): boolean {
    const before = this.get(key);
    const isGone = super.delete(key);
    this.onChange(before, undefined);
    return isGone;
  }
}

export interface LeaseInvariantParts {
  readonly verdict: Verdict;
  readonly rows: WatchedRows;
  readonly redis: () => SimRedis;
  readonly stream: SimStream;
  readonly truth: Truth;
}

export class LeaseInvariants {
  readonly #parts: LeaseInvariantParts;
  /** Worker id that has a lease in a generation. */
  readonly #holders = new Map<string, string>();
  readonly #moves = new Map<LeaseKey, number>();

  constructor(parts: LeaseInvariantParts) {
    this.#parts = parts;
  }

  holderOf(key: LeaseKey, generation: number): string | undefined {
    return this.#holders.get(`${key}#${generation}`);
  }

  /** Changes of owner of each lease since the last call. */
  takeMoves(): Map<LeaseKey, number> {
    const moves = new Map(this.#moves);
    this.#moves.clear();
    return moves;
  }

  changed(before: Lease | undefined, after: Lease | undefined): void {
    if (!after) return;
    this.#checkOwner(before, after);
    this.#checkParents(before, after);
    const [from, to] = [before && checkpointPosition(before.checkpoint), checkpointPosition(after.checkpoint)];
    if (from === undefined || from === to) return;
    const { verdict } = this.#parts;
    verdict.require(to > from, 'CheckpointNeverBack', () => `${after.shardId} ${shortly(from)} → ${shortly(to)}`);
    this.#checkCover(after, from, to);
    if (isFinished(after)) this.#checkChildren(after);
  }

  #checkOwner(before: Lease | undefined, after: Lease): void {
    const { verdict } = this.#parts;
    const fell = before !== undefined && before.generation > after.generation;
    verdict.require(!fell, 'OneOwnerPerGeneration', () => `${after.shardId}: the generation falls`);
    if (before?.owner !== after.owner && after.owner !== undefined) {
      this.#moves.set(after.key, (this.#moves.get(after.key) ?? 0) + 1);
    }
    const holder = after.checkpointOwner ?? after.owner;
    if (holder === undefined) return;
    const place = `${after.key}#${after.generation}`;
    const known = this.#holders.get(place);
    this.#holders.set(place, known ?? holder);
    verdict.require(
      known === undefined || known === holder,
      'OneOwnerPerGeneration',
      () => `${after.shardId} in generation ${after.generation} belongs to ${known}, then to ${holder}`,
    );
  }

  #checkParents(before: Lease | undefined, after: Lease): void {
    if (after.owner === undefined || before?.owner === after.owner) return;
    const unfinished = this.unfinishedParents(after.shardId);
    this.#parts.verdict.require(
      unfinished.length === 0,
      'ParentsFirst',
      () => `${after.shardId} is given to ${after.owner} before ${unfinished.join(', ')} is finished`,
    );
  }

  /** By the stream's own knowledge, not by what a row says of itself. */
  unfinishedParents(shardId: string): string[] {
    const { rows, stream } = this.#parts;
    const finished = new Set([...rows.values()].filter(isFinished).map((lease) => lease.shardId));
    return stream.shard(shardId).parents.filter((parent) => !finished.has(parent));
  }

  #checkChildren(lease: Lease): void {
    const { rows, stream, verdict } = this.#parts;
    const named = new Set([...rows.values()].map((row) => row.shardId));
    const missing = stream.childrenOf(lease.shardId).filter((child) => !named.has(child.id));
    verdict.require(
      missing.length === 0,
      'NoHole',
      () => `${lease.shardId} is finished, and there is no row for ${missing.map((child) => child.id).join(', ')}`,
    );
  }

  /** What the checkpoint rests on must stand even if Redis loses all that it may, now. */
  #checkCover(lease: Lease, from: Position, to: Position): void {
    const { redis, truth, verdict } = this.#parts;
    const { slots } = redis().state;
    const images = slots.map((_, slot) => redis().settledImageOf(slot));
    images.forEach(({ slot }, i) => {
      const row = slot.rows.get(lease.key);
      verdict.require(
        row !== undefined && row.position >= to,
        'CoversCheckpoint',
        () =>
          `${lease.shardId} is checkpointed at ${shortly(to)}, but slot ${i} has settled only ${shortly(row?.position ?? 'nothing')}`,
      );
    });
    const rejected = truth.between(lease.shardId, 0, from, to).filter((record) => record.identity === undefined);
    const lost = rejected.filter(({ position }) => !images[0]!.letters.has(`${lease.key}@${position}`));
    verdict.require(
      lost.length === 0,
      'NothingSkipped',
      () => `${lease.shardId}: no settled dead letter of ${lost.map(({ position }) => shortly(position)).join(', ')}`,
    );
  }
}
