/** Ids, slots, bucket keys, classes and members of uniques: functions of what a record says, not of how it says it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { counterName, uniqueName, uniqueValueName } from '../../../../ledger/counter-names.ts';
import type { Pipeline } from '../../../../pipelines/pipeline.ts';
import { type IdentifiedBatch, NONE } from '../../../../worker/pipeline/identified-batch.ts';
import { createIdentity } from '../../../../worker/pipeline/identity.ts';
import { decode, HASH_SEED, hex, logins } from '../../../support/decoded-logins.ts';

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const at = '2023-08-01T12:00:00.5Z';
const options = { pipeline: logins, hashSeed: HASH_SEED, slots: 1, bucketBy: 'time' as const };

async function identify(
  records: readonly Uint8Array[],
  changes: Partial<typeof options> = {},
): Promise<IdentifiedBatch> {
  const all = { ...options, ...changes };
  return (await createIdentity(all))(decode(records, all.pipeline));
}

const memberOf = (batch: IdentifiedBatch, unique: number, index: number): string =>
  Buffer.from(batch.uniques[unique]!.members.subarray(8 * index, 8 * index + 8)).toString('hex');

describe('the id of a record', () => {
  it('is the same in every encoding and spelling of the instant', async () => {
    const batch = await identify([
      json({ playerId: 'p1', timestamp: '1970-01-01T00:00:05.5Z' }),
      json({ playerId: 'p1', timestamp: '1970-01-01T02:00:05.500000000+02:00', country: 'DE' }),
      hex('0a 02 70 31 12 08 08 05 10 80 ca b5 ee 01'),
      hex('12 08 08 05 10 80 ca b5 ee 01 1a 02 44 45 0a 02 70 31'),
    ]);

    expect(new Set(batch.ids).size).toBe(1);
    expect([...batch.bucketKeys]).toEqual([5500, 5500, 5500, 5500]);
  });

  it('differs with the player, the second and the nanosecond, and has 52 bits', async () => {
    const records = ['p1', 'p2', 'p10'].flatMap((playerId) =>
      ['00Z', '01Z', '00.000000001Z'].map((end) => json({ playerId, timestamp: `2023-08-01T12:00:${end}` })),
    );

    const batch = await identify(records);

    expect(new Set(batch.ids).size).toBe(9);
    expect([...batch.ids].every((id) => Number.isInteger(id) && id >= 0 && id < 2 ** 52)).toBe(true);
  });

  it('keeps fields apart: moving text from one to the next makes another identity', async () => {
    const [player = 0, , country = 0] = logins.fields.map((_, i) => i);
    const pipeline: Pipeline = { ...logins, identity: { fields: [player, country], time: undefined } };
    const identifyBoth = await createIdentity({ ...options, pipeline, bucketBy: 'hash' });
    const text = fc.string({ minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(text, fc.nat(), fc.nat(), (whole, a, b) => {
        const cuts = [a, b].map((cut) => 1 + (cut % (whole.length - 1)));
        const records = cuts.map((cut) => json({ playerId: whole.slice(0, cut), country: whole.slice(cut) }));

        const { ids } = identifyBoth(decode(records, pipeline));

        expect(ids[0] === ids[1]).toBe(cuts[0] === cuts[1]);
      }),
    );
  });

  it('depends on the seed', async () => {
    const records = [json({ playerId: 'p1', timestamp: at })];

    const [first, second] = [await identify(records), await identify(records, { hashSeed: `f${HASH_SEED.slice(1)}` })];

    expect(first.ids[0]).not.toBe(second.ids[0]);
    expect(memberOf(first, 0, 0)).not.toBe(memberOf(second, 0, 0));
  });

  it('goes with bucket keys of other bits when there is no time to make buckets by', async () => {
    const records = Array.from({ length: 50 }, (_, i) => json({ playerId: `p${i}`, timestamp: at }));

    const batch = await identify(records, { bucketBy: 'hash' as 'time' });

    expect(new Set(batch.bucketKeys).size).toBe(50);
    expect(batch.bucketKeys.every((key, i) => Number.isSafeInteger(key) && key !== batch.ids[i])).toBe(true);
  });
});

describe('a batch', () => {
  it('puts all records of a player into one slot and uses every slot', async () => {
    const players = Array.from({ length: 64 }, (_, i) => `player ${i}`);
    const records = [0, 1].flatMap((second) =>
      players.map((playerId) => json({ playerId, timestamp: `2023-08-01T12:00:0${second}Z` })),
    );

    const { slots } = await identify(records, { slots: 4 });

    expect([...slots.slice(0, 64)]).toEqual([...slots.slice(64)]);
    expect(new Set(slots)).toEqual(new Set([0, 1, 2, 3]));
  });

  it('names the counters of each class, and the reason of each record that is rejected', async () => {
    const batch = await identify([
      json({ playerId: 'p1', timestamp: at }),
      hex('ff'),
      json({ playerId: 'p2', timestamp: at, country: 'DE' }),
      new Uint8Array(0),
      json({ playerId: 'p3', timestamp: at }),
    ]);
    const counters = [0, 2, 4].map((i) => batch.classCounters[batch.classes[i]!]);

    const [v1, v2] = [[counterName('format', 'LoginMessageV1')], [counterName('format', 'LoginMessageV2')]];
    expect(counters).toEqual([v1, v2, v1]);
    expect(batch.classCounters).toHaveLength(2);
    expect(batch.rejected).toEqual([
      { index: 1, reason: 'malformed_protobuf' },
      { index: 3, reason: 'empty' },
    ]);
    expect([...batch.slots]).toEqual([0, NONE, 0, NONE, 0]);
    expect(batch.formatCounts).toEqual(
      new Map([
        ['LoginMessageV2', 1],
        ['LoginMessageV1', 2],
      ]),
    );
  });

  it('combines several counters into classes, one of them by a field', async () => {
    const pipeline: Pipeline = { ...logins, counters: [...logins.counters, { name: 'country', by: 2 }] };
    const countries = ['DE', 'FR', undefined, 'DE'];

    const batch = await identify(
      countries.map((country) => json({ playerId: 'p', timestamp: at, country })),
      { pipeline },
    );

    expect([...batch.classes].map((index) => batch.classCounters[index])).toEqual([
      ['c:format:LoginMessageV2', 'c:country:DE'],
      ['c:format:LoginMessageV2', 'c:country:FR'],
      ['c:format:LoginMessageV1'],
      ['c:format:LoginMessageV2', 'c:country:DE'],
    ]);
    expect(batch.classes[0]).toBe(batch.classes[3]);
  });

  it('puts all members of an approximate unique into one sketch', async () => {
    const uniques = logins.uniques.map((unique) => ({ ...unique, isApproximate: true }));
    const records = Array.from({ length: 50 }, (_, i) => json({ playerId: `p${i}`, timestamp: at, country: 'DE' }));
    const batch = await identify(records, { pipeline: { ...logins, uniques } });
    const [players, byCountry] = batch.uniques;

    expect(players).toMatchObject({ isApproximate: true, setNames: ['0'], counters: [uniqueName('players')] });
    expect(new Set(players!.sets)).toEqual(new Set([0]));
    expect(byCountry).toMatchObject({ isApproximate: true, setNames: ['DE'] });
  });

  it('gives a player one member, in the plain unique and in the one of each country', async () => {
    const batch = await identify([
      json({ playerId: 'p1', timestamp: at, country: 'DE' }),
      hex('0a 02 70 31 12 02 08 05 1a 02 46 52'),
      json({ playerId: 'p1', timestamp: at }),
      json({ playerId: 'p2', timestamp: at, country: 'DE' }),
      hex('ff'),
    ]);
    const [players, byCountry] = batch.uniques;

    expect(memberOf(batch, 0, 0)).toBe(memberOf(batch, 0, 1));
    expect(memberOf(batch, 0, 0)).not.toBe(memberOf(batch, 0, 3));
    expect(players!.sets[0]).toBe(players!.sets[2]);
    expect(players!.sets[4]).toBe(NONE);
    expect(players!.setNames).toHaveLength(16);
    expect(new Set(players!.counters)).toEqual(new Set([uniqueName('players')]));
    expect([...byCountry!.sets].map((set) => byCountry!.setNames[set])).toEqual([
      'DE',
      'FR',
      undefined,
      'DE',
      undefined,
    ]);
    expect(byCountry!.counters).toEqual(['DE', 'FR'].map((country) => uniqueValueName('playersByCountry', country)));
  });

  it('names the set of a long value, or of one that looks like such a name, by its hash', async () => {
    const values = ['x'.repeat(64), 'x'.repeat(65), 'x'.repeat(66), '#0123456789abcdef'];

    const batch = await identify(values.map((country) => json({ playerId: 'p', timestamp: at, country })));

    const names = batch.uniques[1]!.setNames;
    expect(names[0]).toBe('x'.repeat(64));
    expect(names.slice(1).every((name) => /^#[0-9a-f]{16}$/.test(name))).toBe(true);
    expect(names).not.toContain(values[3]);
    expect(new Set(names).size).toBe(4);
  });

  it('finds again each of a thousand values', async () => {
    const values = Array.from({ length: 1000 }, (_, i) => `value ${i}`);
    const records = [...values, ...values].map((country) => json({ playerId: 'p', timestamp: at, country }));

    const { sets, setNames } = (await identify(records)).uniques[1]!;

    expect(setNames).toEqual(values);
    expect([...sets]).toEqual([...values.keys(), ...values.keys()]);
  });

  it('is refused when it is too large for its columns, as is a pipeline without the time asked for', async () => {
    const identifyLogins = await createIdentity(options);
    const batch = decode(Array.from({ length: 65_536 }, () => new Uint8Array(0)));
    const timeless: Pipeline = { ...logins, identity: { fields: [0], time: undefined } };

    expect(() => identifyLogins(batch)).toThrow(RangeError);
    await expect(createIdentity({ ...options, pipeline: timeless })).rejects.toThrow('identity.time');
    await expect(createIdentity({ ...options, hashSeed: 'short' })).rejects.toThrow('32 hex digits');
    await expect(createIdentity({ ...options, slots: 0 })).rejects.toThrow('slots');
  });
});
