/**
 * What must come out: every record that was put, its identity by the generator's own knowledge, and where the production
 * stages place it. The counts follow from the identities alone, not from anything the fleet did.
 */
import { END, type Position } from '../../lease/position.ts';
import { DUPLICATE, FRESH, UNDECODABLE } from '../../ledger/counter-names.ts';
import { createDecoder } from '../../worker/pipeline/decode.ts';
import { createIdentity } from '../../worker/pipeline/identity.ts';
import type { RecordStages } from '../../worker/shard/shard-parts.ts';
import { HASH_SEED, logins } from '../support/decoded-logins.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import { positionOfRecord, type SimShard, type SimStream } from './stream.ts';

export interface TrueRecord {
  readonly shardId: string;
  readonly position: Position;
  /** undefined = a record without identity: it must become a dead letter. */
  readonly identity: string | undefined;
  readonly slot: number;
  /** Counters that it raises when it is fresh. */
  readonly counters: readonly string[];
  /** `unique:set:member`, and the counter of the set. */
  readonly members: readonly { readonly member: string; readonly counter: string }[];
}

/** The production stages for a number of slots. */
export async function stagesFor(slots: number): Promise<RecordStages> {
  return {
    decode: createDecoder(logins),
    identify: await createIdentity({ pipeline: logins, hashSeed: HASH_SEED, slots, bucketBy: 'time' }),
  };
}

interface Login {
  readonly player: number;
  readonly atMs: number;
}

const PLAYERS = 9;
const CHANCE_OF_COPY = 0.35;
const CHANCE_OF_GARBAGE = 0.1;
/** Copies are mostly of what came just before: a producer's retry. */
const COPIED_FROM_LAST = 25;

export class Truth {
  readonly records: TrueRecord[] = [];
  readonly byShard = new Map<string, TrueRecord[]>();
  readonly #identities = new Map<string, Map<Position, string>>();
  readonly #stages: RecordStages;
  readonly #random: SeededRandom;
  readonly #logins: Login[] = [];
  /** The first of them of which copies may still come. */
  #copiedFrom = 0;

  constructor(random: SeededRandom, stages: RecordStages) {
    this.#random = random;
    this.#stages = stages;
  }

  /** Puts one record of any kind. */
  put(stream: SimStream, shard: SimShard, wallMs: number): void {
    const login = this.#draw(wallMs);
    const text = login === undefined ? 'garbage' : textOf(login, this.#random.chance(0.5));
    const record = stream.put(shard, Buffer.from(text));
    const known = this.#identify(shard.id, positionOfRecord(record), record.payload, login);
    this.records.push(known);
    const own = this.byShard.get(shard.id) ?? [];
    own.push(known);
    this.byShard.set(shard.id, own);
    const identities = this.identitiesOf(shard.id);
    this.#identities.set(shard.id, identities);
    if (known.identity !== undefined) identities.set(known.position, known.identity);
  }

  /** By position; records without identity are not in it. */
  identitiesOf(shardId: string): Map<Position, string> {
    return this.#identities.get(shardId) ?? new Map();
  }

  /** More than a horizon passes: no copy comes any more of what there is. */
  passHorizon(): void {
    this.#copiedFrom = this.#logins.length;
  }

  /** Records of a shard in a slot, above `from` and up to `to`. */
  between(shardId: string, slot: number, from: Position, to: Position): TrueRecord[] {
    const own = this.byShard.get(shardId) ?? [];
    return own.filter((record) => record.slot === slot && record.position > from && record.position <= to);
  }

  /** What a slot's counters must be when its rows are where they are. END = all that was put. */
  countersOf(slot: number, reach: (shardId: string) => Position): Map<string, number> {
    const counters = new Map<string, number>();
    const raise = (name: string): void => {
      counters.set(name, (counters.get(name) ?? 0) + 1);
    };
    const seen = new Set<string>();
    for (const [shardId, records] of this.byShard) {
      const through = reach(shardId);
      for (const record of records) {
        if (record.position > through) break;
        if (record.slot === slot) countRecord(record, seen, raise);
      }
    }
    return counters;
  }

  totals(slots: number): Map<string, number> {
    const totals = new Map<string, number>();
    for (let slot = 0; slot < slots; slot++) {
      for (const [name, count] of this.countersOf(slot, () => END)) totals.set(name, (totals.get(name) ?? 0) + count);
    }
    return totals;
  }

  #draw(wallMs: number): Login | undefined {
    const random = this.#random;
    if (random.chance(CHANCE_OF_GARBAGE)) return undefined;
    const copied = this.#logins.slice(Math.max(this.#copiedFrom, this.#logins.length - COPIED_FROM_LAST));
    if (copied.length > 0 && random.chance(CHANCE_OF_COPY)) return random.pick(copied);
    const login = { player: random.int(PLAYERS), atMs: Math.floor(wallMs) * 1_000 + this.#logins.length };
    this.#logins.push(login);
    return login;
  }

  #identify(shardId: string, position: Position, payload: Uint8Array, login: Login | undefined): TrueRecord {
    if (!login) return { shardId, position, identity: undefined, slot: 0, counters: [], members: [] };
    const { slots, classes, classCounters, uniques } = this.#stages.identify(
      this.#stages.decode({
        count: 1,
        bytes: payload,
        starts: Uint32Array.of(0),
        ends: Uint32Array.of(payload.length),
        positions: { sequenceNumbers: [position.slice(0, 56)], subSequenceNumbers: undefined },
        arrivalsMs: Float64Array.of(0),
      }),
    );
    const members = uniques.flatMap(({ unique, members: bytes, sets, setNames, counters }) => {
      const counter = counters[sets[0]!];
      return counter === undefined
        ? []
        : [{ member: `${unique}:${setNames[sets[0]!]}:${bytes.subarray(0, 8)}`, counter }];
    });
    const identity = `${login.player}@${login.atMs}`;
    return { shardId, position, identity, slot: slots[0]!, counters: classCounters[classes[0]!]!, members };
  }
}

function countRecord(record: TrueRecord, seen: Set<string>, raise: (name: string) => void): void {
  for (const { member, counter } of record.members) {
    if (!seen.has(member)) raise(counter);
    seen.add(member);
  }
  for (const name of countersOfRecord(record, seen)) raise(name);
}

function countersOfRecord({ identity, counters }: TrueRecord, seen: Set<string>): readonly string[] {
  if (identity === undefined) return [UNDECODABLE];
  if (seen.has(identity)) return [DUPLICATE];
  seen.add(identity);
  return [FRESH, ...counters];
}

/** Two spellings of the same login. A player of even number has a country. */
function textOf({ player, atMs }: Login, isSpaced: boolean): string {
  const ms = Math.floor(atMs / 1_000);
  const timestamp = new Date(ms).toISOString().replace('Z', `${String(atMs % 1_000).padStart(3, '0')}Z`);
  const login = { playerId: `player-${player}`, timestamp, ...(player % 2 === 0 ? { country: 'DE' } : {}) };
  return isSpaced ? JSON.stringify(login, undefined, 1) : JSON.stringify(login);
}
