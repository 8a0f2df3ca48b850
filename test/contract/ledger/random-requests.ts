/**
 * Requests of a random history: mostly what a well-behaved owner would send next, and often enough what a zombie, a
 * confused worker or a repeated attempt would. Built from the reference's state, which the ledger under test must equal.
 */
import { END, type Position, positionOf, START } from '../../../lease/position.ts';
import type {
  AdvanceRequest,
  CommitRequest,
  Layout,
  OpenRequest,
  RowMark,
  UniqueMembers,
} from '../../../ledger/ledger.ts';
import type { ReferenceSlot, ReferenceState } from '../../../ledger/reference.ts';
import { NEW_ROW, tokenOf } from '../../support/ledger-builder.ts';
import type { SeededRandom } from '../../support/seeded-random.ts';

/** Where shards begin: as long as real sequence numbers. */
const BASE = 49_653_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000n;
const POOL = 1_500;
const CLASSES = [['c:format:v1', 'c:app:a'], ['c:format:v1', 'c:app:b'], ['c:format:v2', 'c:app:a'], []];

export interface ForgetRequest {
  readonly generation: number;
  readonly period: number;
  readonly unfinished: readonly string[];
}

interface Identity {
  readonly id: number;
  readonly bucketKey: number;
  readonly player: number;
}

export class RandomRequests {
  readonly #random: SeededRandom;
  readonly #pool: readonly Identity[];
  readonly #slots: number;
  #tokens = 0;
  #period = 0;
  #shards = 3;

  constructor(random: SeededRandom, slots: number) {
    this.#random = random;
    this.#slots = slots;
    this.#pool = Array.from({ length: POOL }, () => ({
      id: Math.floor(random.next() * 2 ** 52),
      bucketKey: random.chance(0.05) ? random.pick([-1, -1e15, 1e300, 0, 2 ** 53]) : random.int(20_000),
      player: random.int(300),
    }));
  }

  slot(): number {
    return this.#random.int(this.#slots);
  }

  /** Time passes: later periods begin, shards come. */
  pass(): void {
    if (this.#random.chance(0.004)) this.#period += 1;
    if (this.#random.chance(0.004)) this.#shards += 1;
  }

  #shard(): string {
    return `account:stream:1:shardId-${this.#random.chance(0.9) ? this.#shards - this.#random.int(3) : this.#random.int(this.#shards)}`;
  }

  open(state: ReferenceState): OpenRequest {
    const slot = this.slot();
    const shard = this.#shard();
    const generation = state.slots[slot]!.rows.get(shard)?.generation ?? 1;
    return {
      shard,
      slot,
      generation: Math.max(0, generation + this.#random.pick([-1, 0, 0, 1])),
      start: this.#random.pick([undefined, START, this.#position(undefined)]),
    };
  }

  /** A period that may be forgotten, mostly by the generation that has the slot. */
  forget(state: ReferenceState, slot: number): ForgetRequest {
    const { job, rows, periods } = state.slots[slot]!;
    const random = this.#random;
    return {
      generation: Math.max(0, job.generation + random.pick([0, 0, 0, 1, -1])),
      period: random.pick([...periods.keys(), this.#period]),
      unfinished: random.chance(0.8) ? [...rows.keys()].slice(-2) : ['account:stream:1:unseen'],
    };
  }

  advance(state: ReferenceState, slot: number): AdvanceRequest[] {
    const shards = new Set(Array.from({ length: this.#random.int(4) }, () => this.#shard()));
    return [...shards].map((shard) => this.#step(state.slots[slot]!, shard));
  }

  commit(state: ReferenceState): CommitRequest {
    const slotNumber = this.slot();
    const slot = state.slots[slotNumber]!;
    const step = this.#step(slot, this.#shard());
    const period = Math.max(0, this.#period - this.#random.int(2));
    return {
      ...step,
      slot: slotNumber,
      layouts: this.#layouts(slot, period),
      newBuckets: 1 + this.#random.int(12),
      classes: CLASSES,
      rejected: slotNumber === 0 ? this.#random.int(3) : 0,
      ...this.#records(slotNumber, step.from.position),
    };
  }

  /** A row's next step; sometimes what somebody would send who does not know the row. */
  #step(slot: ReferenceSlot, shard: string): AdvanceRequest {
    const random = this.#random;
    const row = slot.rows.get(shard);
    this.#tokens += 1;
    const from: RowMark = row ?? NEW_ROW;
    const position = from.position === END || random.chance(0.005) ? END : this.#position(from.position);
    const moved: AdvanceRequest = {
      shard,
      generation: row?.generation ?? 1,
      from: { position: from.position, token: from.token },
      to: { position, token: tokenOf(this.#tokens) },
      floor: random.pick([START, row?.floor ?? START, from.position, position]),
      // Mostly past what a period's forgetting waits for.
      arrivalMs: this.#period * 2_000 + random.int(2_000) + (random.chance(0.9) ? 1_000_000 : 0),
      watermarkMs: random.int(10_000),
    };
    switch (random.int(16)) {
      case 0:
        return { ...moved, generation: moved.generation - 1 };
      case 1:
        return { ...moved, generation: moved.generation + 1 };
      case 2:
        return { ...moved, from: { ...moved.from, token: tokenOf(random.int(1_000)) } };
      case 3:
        return { ...moved, from: { ...moved.from, position: this.#position(undefined) } };
      case 4:
        return { ...moved, to: moved.from };
      case 5:
        return { ...moved, to: { ...moved.to, position: moved.from.position } };
      default:
        return moved;
    }
  }

  #position(after: Position | undefined): Position {
    const at = after === undefined || after === START ? BASE : BigInt(after.slice(0, 56));
    const jump = this.#random.chance(0.1) ? 10n ** BigInt(this.#random.int(30)) : BigInt(1 + this.#random.int(500));
    return positionOf(String(at + jump + 100n), this.#random.chance(0.1) ? this.#random.int(300) : 0);
  }

  /** What the slot has, or sometimes what it had before, or would have. */
  #layouts(slot: ReferenceSlot, own: number): Layout[] {
    const periods = [own, ...this.#random.pick([[], [own - 1], [own + 1], [own - 1, own + 1]])];
    return periods.map((period) => {
      const buckets = slot.periods.get(period)?.buckets;
      return { period, buckets: this.#random.chance(0.03) ? this.#random.pick([undefined, 1, 5, 13]) : buckets };
    });
  }

  /** Up to 40 records of a batch, the first of each identity apart from its further copies. */
  #records(slot: number, from: Position) {
    const random = this.#random;
    const base = from === START || from === END ? BASE : BigInt(from.slice(0, 56));
    const seen = new Set<Identity>();
    const first: { identity: Identity; at: string; sub: number }[] = [];
    const further: { at: string; sub: number }[] = [];
    const hasSub = random.chance(0.3);
    for (let i = 0, count = random.int(40); i < count; i += 1) {
      const identity = this.#pool[random.int(POOL / this.#slots) * this.#slots + slot]!;
      const place = { at: String(base + BigInt(i + 1)).padStart(56, '0'), sub: hasSub ? i % 5 : 0 };
      if (seen.has(identity)) further.push(place);
      else first.push({ identity, ...place });
      seen.add(identity);
    }
    return {
      first: {
        positions: columnOf(first),
        ids: Float64Array.from(first, ({ identity }) => identity.id),
        bucketKeys: Float64Array.from(first, ({ identity }) => identity.bucketKey),
        classes: Uint16Array.from(first, ({ identity }) => identity.player % CLASSES.length),
      },
      further: columnOf(further),
      uniques: uniquesOf([...new Set([...seen].map(({ player }) => player))]),
    };
  }
}

function columnOf(places: readonly { readonly at: string; readonly sub: number }[]) {
  return {
    sequenceNumbers: places.map(({ at }) => at),
    subSequenceNumbers: places.some(({ sub }) => sub > 0) ? Uint32Array.from(places, ({ sub }) => sub) : undefined,
  };
}

function uniquesOf(players: readonly number[]): UniqueMembers[] {
  const bySet = new Map<string, { unique: string; set: string; counter: string; players: number[] }>();
  const add = (unique: string, set: string, counter: string, player: number): void => {
    const group = bySet.get(`${unique}:${set}`) ?? { unique, set, counter, players: [] };
    bySet.set(`${unique}:${set}`, group);
    group.players.push(player);
  };
  for (const player of players) {
    add('players', String(player % 4), 'u:players', player);
    const country = ['de', 'fr', '}{'][player % 3]!;
    add('by_country', country, `v:by_country:${country}`, player);
  }
  return [...bySet.values()].map(({ players: members, ...rest }) => {
    const bytes = Buffer.alloc(members.length * 8);
    members.forEach(
      (player, i) => void bytes.writeBigUInt64LE((BigInt(player) * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn, i * 8),
    );
    return { ...rest, members: bytes };
  });
}
