/** What the producer says of its records, against a recount of the very bytes by the decoder. */
import { describe, expect, it } from 'vitest';
import { garbage } from '../../../producer/garbage.ts';
import {
  createGenerator,
  GENERATOR_DEFAULTS,
  type GeneratorOptions,
  type ProducedRecord,
} from '../../../producer/generator.ts';
import { hashKeyOf } from '../../../producer/hash-key.ts';
import { loginAt } from '../../../producer/login.ts';
import { encodeLogin, JSON_SPELLINGS, PROTOBUF_SPELLINGS } from '../../../producer/login-encoding.ts';
import { Random } from '../../../producer/random.ts';
import { type Truth, TruthKeeper } from '../../../producer/truth.ts';
import { decode, decodeOne, show } from '../../support/decoded-logins.ts';

const options: GeneratorOptions = { ...GENERATOR_DEFAULTS, seed: 7, startMs: 1_790_000_000_000, players: 300 };

function make(count: number, changes: Partial<GeneratorOptions> = {}): ProducedRecord[] {
  return Array.from({ length: count }, createGenerator({ ...options, ...changes }));
}

function truthOf(records: readonly ProducedRecord[]): Truth {
  const keeper = new TruthKeeper();
  for (const record of records) keeper.add(record);
  return keeper.truth();
}

/** Counts what the decoder sees, in sets of texts. */
function recount(records: readonly ProducedRecord[]): Truth {
  const batch = decode(records.map((record) => record.data));
  const seen = new Set<string>();
  const players = new Set<string>();
  const byCountry = new Map<string, Set<string>>();
  const formats = { LoginMessageV1: 0, LoginMessageV2: 0 };
  let [duplicate, undecodable] = [0, 0];
  records.forEach((_, i) => {
    const shown = show(batch, i);
    if (typeof shown === 'string') {
      undecodable++;
      return;
    }
    const { player_id: player = '', timestamp, country, format } = shown;
    const identity = `${timestamp} ${player}`;
    if (seen.has(identity)) duplicate++;
    else formats[format as 'LoginMessageV1']++;
    seen.add(identity);
    players.add(player);
    if (country !== undefined) byCountry.set(country, (byCountry.get(country) ?? new Set()).add(player));
  });
  return {
    records: records.length,
    fresh: seen.size,
    duplicate,
    undecodable,
    formats,
    uniquePlayers: players.size,
    uniquePlayersByCountry: Object.fromEntries([...byCountry].map(([country, who]) => [country, who.size])),
  };
}

describe('the truth of a run', () => {
  it.each([1, 2, 3])('is what a recount of the bytes gives (seed %i)', (seed) => {
    const records = make(4000, { seed, duplicateShare: 0.2, garbageShare: 0.05 });

    const truth = truthOf(records);

    expect(truth).toEqual(recount(records));
    expect(truth.duplicate).toBeGreaterThan(600);
    expect(truth.undecodable).toBeGreaterThan(100);
    expect(Math.min(truth.formats.LoginMessageV1, truth.formats.LoginMessageV2)).toBeGreaterThan(800);
    expect(Object.keys(truth.uniquePlayersByCountry)).toHaveLength(options.countries);
  });

  it('does not depend on the order in which records are stored, and counts what is stored twice as a duplicate', () => {
    const records = make(2000, { duplicateShare: 0.2 });
    const truth = truthOf(records);

    const twice = truthOf([...records.toReversed(), ...records.slice(0, 10)]);

    expect(truthOf(records.toReversed())).toEqual(truth);
    expect(twice).toEqual({ ...truth, records: 2010, duplicate: truth.duplicate + 10 });
  });
});

describe('the generator', () => {
  it('makes the same bytes from the same seed, and others from another', () => {
    expect(make(500)).toEqual(make(500));
    expect(make(50)).not.toEqual(make(50, { seed: 8 }));
  });

  it('copies with the same country in another spelling, under the opposite hash key', () => {
    const originals = new Map<number, ProducedRecord>();
    let copies = 0;
    for (const record of make(3000, { duplicateShare: 0.3 })) {
      if (!record.login) continue;
      const original = originals.get(record.login.index);
      originals.set(record.login.index, original ?? record);
      if (!original) continue;
      copies++;
      expect(decodeOne(record.data)).toEqual(decodeOne(original.data));
      expect(Buffer.compare(record.data, original.data)).not.toBe(0);
      const distance = BigInt(record.explicitHashKey!) - hashKeyOf(original.partitionKey);
      expect(distance < 0n ? -distance : distance).toBe(2n ** 127n);
    }
    expect(copies).toBeGreaterThan(700);
  });

  it('leaves the hash key of a copy to its partition key when copies may land anywhere', () => {
    const records = make(500, { duplicateShare: 0.3, copiesElsewhere: false });

    expect(records.every((record) => record.explicitHashKey === undefined)).toBe(true);
  });

  it('makes protobuf logins of about 124 bytes', () => {
    const sizes = Array.from(
      { length: 1000 },
      (_, i) => encodeLogin(loginAt({ ...options, v2Share: 1 }, i), 'protobuf').length,
    );

    const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    expect(mean).toBeGreaterThan(116);
    expect(mean).toBeLessThan(132);
  });

  it('spells every login alike in all spellings, whatever the player is called', () => {
    for (let index = 0; index < 400; index++) {
      const login = loginAt({ ...options, players: 60 }, index);
      const all = [...PROTOBUF_SPELLINGS, ...JSON_SPELLINGS].map((spelling) => decodeOne(encodeLogin(login, spelling)));

      expect(all[0]).toMatchObject({ player_id: login.playerId, timestamp: `${login.seconds}.${login.nanos}` });
      expect(all).toEqual(all.map(() => all[0]));
    }
  });

  it('makes garbage that is undecodable whatever the random numbers, for many reasons', () => {
    const reasons = Array.from({ length: 2000 }, (_, i) =>
      decodeOne(garbage(loginAt(options, i), new Random(5, 9, i))),
    );

    expect(reasons.filter((reason) => typeof reason !== 'string')).toEqual([]);
    expect(new Set(reasons).size).toBe(8);
  });
});
