/**
 * The stream of records of a run: new logins, copies of earlier ones in another spelling (never with another country),
 * and garbage, in shares. Pure: seed and options decide every byte. What is true of them is kept by truth.ts.
 */
import { garbage } from './garbage.ts';
import { oppositeHashKey } from './hash-key.ts';
import { type Login, type LoginOptions, loginAt } from './login.ts';
import { encodeLogin, JSON_SPELLINGS, PROTOBUF_SPELLINGS, type Spelling } from './login-encoding.ts';
import { Random } from './random.ts';

export interface GeneratorOptions extends LoginOptions {
  /** Shares of all records, 0 to 1. */
  readonly duplicateShare: number;
  readonly garbageShare: number;
  /** Share of the new logins that are JSON; the others are protobuf. */
  readonly jsonShare: number;
  /** Copies are given the hash key opposite to their original's, so that they land on another shard. */
  readonly copiesElsewhere: boolean;
}

/** Options of a run nobody has wishes for; about 40 % JSON, 65 % with a country. */
export const GENERATOR_DEFAULTS = {
  stepMs: 1,
  players: 10_000,
  countries: 40,
  v2Share: 0.65,
  duplicateShare: 0.05,
  garbageShare: 0.001,
  jsonShare: 0.4,
  copiesElsewhere: true,
} as const;

export interface ProducedRecord {
  readonly data: Uint8Array;
  readonly partitionKey: string;
  /** Decimal; undefined = that of the partition key. */
  readonly explicitHashKey: string | undefined;
  /** What the record says; undefined = garbage. */
  readonly login: Login | undefined;
}

/** Copies are of one of so many last logins. */
const COPY_WINDOW = 20_000;
const RECORD_STREAM = 3;
const SPELLING_STREAM = 4;
const ALL_SPELLINGS: readonly Spelling[] = [...PROTOBUF_SPELLINGS, ...JSON_SPELLINGS];

/** @returns a function that makes the next record, without end */
export function createGenerator(options: GeneratorOptions): () => ProducedRecord {
  let made = 0;
  let logins = 0;

  return () => {
    const random = new Random(options.seed, RECORD_STREAM, made++);
    const kind = random.fraction();
    if (kind < options.garbageShare) return garbageRecord(options, random);
    if (kind < options.garbageShare + options.duplicateShare && logins > 0) {
      const original = logins - 1 - random.below(Math.min(logins, COPY_WINDOW));
      return copyRecord(options, original, random);
    }
    const login = loginAt(options, logins++);
    return {
      data: encodeLogin(login, originalSpelling(options, login.index)),
      partitionKey: partitionKeyOf(login),
      explicitHashKey: undefined,
      login,
    };
  };
}

function copyRecord(options: GeneratorOptions, index: number, random: Random): ProducedRecord {
  const login = loginAt(options, index);
  const first = originalSpelling(options, index);
  return {
    data: encodeLogin(login, random.pick(ALL_SPELLINGS.filter((spelling) => spelling !== first))),
    partitionKey: `copy-${random.bits()}`,
    explicitHashKey: options.copiesElsewhere ? oppositeHashKey(partitionKeyOf(login)) : undefined,
    login,
  };
}

function garbageRecord(options: GeneratorOptions, random: Random): ProducedRecord {
  return {
    data: garbage(loginAt(options, random.below(1_000_000)), random),
    partitionKey: `garbage-${random.bits()}`,
    explicitHashKey: undefined,
    login: undefined,
  };
}

/** A function of the login's index, so that a copy knows what its original looked like. */
function originalSpelling(options: GeneratorOptions, index: number): Spelling {
  const random = new Random(options.seed, SPELLING_STREAM, index);
  return random.pick<Spelling>(random.fraction() < options.jsonShare ? JSON_SPELLINGS : PROTOBUF_SPELLINGS);
}

function partitionKeyOf(login: Login): string {
  return `player-${login.player}`;
}
