/**
 * Commits as a shard of logins makes them: identities new or of an earlier batch, times as wanted, players at random, half
 * of them in a few large countries. Records come at an even pace.
 */

import { positionOf, START } from '../lease/position.ts';
import type { CommitRequest, Layout, RowMark, UniqueMembers } from '../ledger/ledger.ts';
import type { MemberMemory } from '../worker/ledger/member-memory.ts';

const FIRST_SEQUENCE_NUMBER = 49_653_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000n;
const CLASSES = [
  ['c:format:v1', 'c:app:web'],
  ['c:format:v1', 'c:app:ios'],
  ['c:format:v2', 'c:app:android'],
];
const PLAYERS = 10_000;
const COUNTRIES = 60;
const PLAYER_SETS = 16;

/** Where the times of the records of one batch lie: one after the other, within an hour, or anywhere in the period. */
export const TIMES = ['in order', 'over an hour', 'random'] as const;
export type Times = (typeof TIMES)[number];

const HOUR_MS = 3_600_000;

export interface LoginCommitOptions {
  /** Records, duplicates among them. */
  readonly identities: number;
  /** Share of the records whose identity an earlier batch had; default 0. */
  readonly duplicateShare?: number;
  /** Default: in order. */
  readonly times?: Times;
  readonly periodMs: number;
  /** Identities that a whole period would bring at this pace. */
  readonly perPeriod: number;
  readonly batch: number;
  readonly buckets: number;
  readonly withUniques: boolean;
  /** Share of the records that are of a player who was never there before; default 0. */
  readonly newPlayers?: number;
  /** Leaves out members that were sent before, as a worker does. */
  readonly memory: MemberMemory | undefined;
  /** The shard commits into a period of its own, of this number. */
  readonly period: number;
  /** The period has begun already, and so many of its records are over; default: none. */
  readonly from?: number;
  /** Default: named by its period. */
  readonly shard?: string;
  /** Neighbours that are looked up too. */
  readonly neighbours: readonly Layout[];
}

/** All commits of the shard, one after the other; each builds on the one before. */
export function* loginCommits(options: LoginCommitOptions): Generator<CommitRequest> {
  const { identities, batch, period, periodMs, perPeriod, buckets, shard = shardOf(period) } = options;
  const { ids, bucketKeys, draw } = identitiesOf(options);
  const { from: over = 0, newPlayers = 0 } = options;
  let from: RowMark = { position: START, token: '-' };
  for (let done = 0; done < identities; done += batch) {
    const count = Math.min(batch, identities - done);
    const sequenceNumbers = Array.from({ length: count }, (_, i) =>
      String(FIRST_SEQUENCE_NUMBER + BigInt((done + i) * 97)),
    );
    const padded = sequenceNumbers.map((number) => number.padStart(56, '0'));
    const to = { position: positionOf(padded.at(-1)!), token: (done + 1).toString(16).padStart(16, '0') };
    draw(done, count);
    const players = Array.from({ length: count }, (_, i) =>
      Math.random() < newPlayers ? PLAYERS + over + done + i : Math.floor(Math.random() * PLAYERS),
    );
    yield {
      shard,
      slot: 0,
      generation: 1,
      from,
      to,
      floor: START,
      arrivalMs: Math.floor((period + (over + done) / perPeriod) * periodMs),
      watermarkMs: 0,
      layouts: [{ period, buckets: done + over === 0 ? undefined : buckets }, ...options.neighbours],
      newBuckets: buckets,
      first: {
        positions: { sequenceNumbers: padded, subSequenceNumbers: undefined },
        ids: ids.subarray(done, done + count),
        bucketKeys: bucketKeys.subarray(done, done + count),
        classes: Uint16Array.from(players, (player) => player % CLASSES.length),
      },
      further: { sequenceNumbers: [], subSequenceNumbers: undefined },
      classes: CLASSES,
      rejected: 0,
      uniques: options.withUniques ? uniquesOf(players, options.memory) : [],
    };
    from = to;
  }
}

/** The shard whose commits went into that period. */
export function shardOf(period: number): string {
  return `account:stream:1:shardId-${period}`;
}

/** Columns of all records, filled batch by batch. */
function identitiesOf(options: LoginCommitOptions) {
  const { identities, duplicateShare = 0 } = options;
  const timeOf = timesOf(options);
  const ids = new Float64Array(identities);
  const bucketKeys = new Float64Array(identities);
  const draw = (from: number, count: number): void => {
    const inBatch = new Set<number>();
    for (let i = from; i < from + count; i++) {
      // Of an earlier batch, and each once at most: a further copy within a batch is known without the ledger.
      const copied = Math.floor((Math.random() + i - from) * (from / count));
      const isCopy = from > 0 && Math.random() < duplicateShare && !inBatch.has(ids[copied]!);
      if (isCopy) inBatch.add(ids[copied]!);
      ids[i] = isCopy ? ids[copied]! : Math.floor(Math.random() * 2 ** 52);
      bucketKeys[i] = isCopy ? bucketKeys[copied]! : timeOf(i);
    }
  };
  return { ids, bucketKeys, draw };
}

/** Milliseconds since 1970 of the i-th record's own time; it arrives in order whatever that is. */
function timesOf({ period, periodMs, perPeriod, times, from = 0 }: LoginCommitOptions): (i: number) => number {
  const arrivalMs = (i: number): number => (period + (from + i) / perPeriod) * periodMs;
  if (times === 'random') return () => (period + Math.random()) * periodMs;
  if (times === 'over an hour') return (i) => arrivalMs(i) + Math.random() * HOUR_MS;
  return arrivalMs;
}

function uniquesOf(players: readonly number[], memory: MemberMemory | undefined): UniqueMembers[] {
  memory?.begin(2 * players.length);
  const groups = new Map<
    string,
    { readonly unique: string; readonly set: string; readonly counter: string; readonly players: number[] }
  >();
  const add = (unique: string, set: string, counter: string, player: number): void => {
    const key = `${unique}:${set}`;
    const group = groups.get(key) ?? { unique, set, counter, players: [] };
    groups.set(key, group);
    group.players.push(player);
  };
  for (const player of new Set(players)) {
    add('players', String(player % PLAYER_SETS), 'u:players', player);
    const country = `c${Math.floor(COUNTRIES * ((player * 0.618_034) % 1) ** 3)}`;
    add('players_by_country', country, `v:players_by_country:${country}`, player);
  }
  return [...groups.entries()].flatMap(([name, { players: group, ...rest }]) => {
    const members = membersOf(group);
    const unsent = memory ? leaveOut(memory, name, members) : members;
    return unsent.length > 0 ? [{ ...rest, members: unsent }] : [];
  });
}

/** The members that the memory does not know yet. */
function leaveOut(memory: MemberMemory, set: string, members: Uint8Array): Uint8Array {
  const number = memory.numberOf(set);
  const unsent: Uint8Array[] = [];
  for (let at = 0; at < members.length; at += 8) {
    if (memory.add(number, members, at)) unsent.push(members.subarray(at, at + 8));
  }
  return Buffer.concat(unsent);
}

function membersOf(players: readonly number[]): Uint8Array {
  const members = Buffer.alloc(players.length * 8);
  players.forEach((player, i) => {
    members.writeUInt32LE(Math.imul(player, 0x9e3779b1) >>> 0, i * 8);
    members.writeUInt32LE(Math.imul(player, 0x85ebca6b) >>> 0, i * 8 + 4);
  });
  return members;
}
