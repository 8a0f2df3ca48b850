/**
 * What must hold of the lease rows in every state, looked at in the moment a row changes: who owns, in which generation,
 * how far, and that the ledger's settled writes cover it. Of what Redis loses though it was settled (a tail longer than
 * settling allows for, a slot) is kept that it was settled once: a checkpoint may still come to rest on that, until the
 * loss is noticed. A heal lease reads its shard once more from the beginning, and again after each loss.
 */

import { healedKeyOf, healKeyOf, isHealKey } from '../../lease/heal-lease.ts';
import type { Lease, LeaseKey } from '../../lease/lease.ts';
import { isFinished } from '../../lease/lease.ts';
import { checkpointPosition, maxPosition, type Position, START } from '../../lease/position.ts';
import type { SimRedis } from './redis.ts';
import type { SlotImage } from './slot-history.ts';
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

/** Owners that a heal lease can have had: how they are written behind the point of a generation. */
const HEAL_GENERATIONS = 1_000_000;

export class LeaseInvariants {
  readonly #parts: LeaseInvariantParts;
  /** Worker id that has a lease in a generation. */
  readonly #holders = new Map<string, string>();
  readonly #moves = new Map<LeaseKey, number>();
  /** Settled once, and lost since: `slot/lease key` → how far, and dead letters. */
  readonly #onceSettled = new Map<string, Position>();
  readonly #lettersOnceSettled = new Set<string>();

  constructor(parts: LeaseInvariantParts) {
    this.#parts = parts;
  }

  /** @param generation as in the ledger: what is behind the point is that of a heal lease. */
  holderOf(key: LeaseKey, generation: number): string | undefined {
    if (Number.isInteger(generation)) return this.#holders.get(`${key}#${generation}`);
    const ofHeal = Math.round((generation % 1) * HEAL_GENERATIONS);
    return this.#holders.get(`${healKeyOf(key)}#${ofHeal}`);
  }

  losesSettled(slot: number, settled: SlotImage): void {
    for (const [key, { position }] of settled.slot.rows) {
      const place = `${slot}/${key}`;
      this.#onceSettled.set(place, maxPosition(this.#onceSettled.get(place) ?? START, position));
    }
    for (const letter of settled.letters) this.#lettersOnceSettled.add(letter);
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
    const isHealedAgain = isHealKey(after.key) && to === START && after.owner === undefined;
    verdict.require(
      to > from || isHealedAgain,
      'CheckpointNeverBack',
      () => `${after.shardId} ${shortly(from)} → ${shortly(to)}`,
    );
    if (!isHealedAgain) this.#checkCover(after, from, to);
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

  /** What the checkpoint rests on must stand even if Redis loses all that it may, now; or it stood so until Redis lost more. */
  #checkCover(lease: Lease, from: Position, to: Position): void {
    const { redis, truth, verdict } = this.#parts;
    const { slots } = redis().state;
    const images = slots.map((_, slot) => redis().settledImageOf(slot));
    const key = healedKeyOf(lease.key);
    images.forEach(({ slot }, i) => {
      const row = slot.rows.get(key);
      const stood = this.#onceSettled.get(`${i}/${key}`) ?? START;
      verdict.require(
        maxPosition(row?.position ?? START, stood) >= to,
        'CoversCheckpoint',
        () =>
          `${lease.shardId} is checkpointed at ${shortly(to)}, but slot ${i} has settled only ${shortly(row?.position ?? 'nothing')}`,
      );
    });
    const rejected = truth.between(lease.shardId, 0, from, to).filter((record) => record.identity === undefined);
    const isKept = (letter: string): boolean => images[0]!.letters.has(letter) || this.#lettersOnceSettled.has(letter);
    const lost = rejected.filter(({ position }) => !isKept(`${key}@${position}`));
    verdict.require(
      lost.length === 0,
      'NothingSkipped',
      () => `${lease.shardId}: no settled dead letter of ${lost.map(({ position }) => shortly(position)).join(', ')}`,
    );
  }
}
