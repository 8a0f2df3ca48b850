/**
 * Telling protobuf and JSON apart, record by record. Oracle: the protobuf library's own encoder and decoder. Why it can
 * work at all: the tag of a login's timestamp is 0x12 (however padded, it holds 0x12 or 0x00), and neither byte may
 * stand anywhere in a JSON text; so no record is a login in both readings.
 */
import { join } from 'node:path';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { decode, decodeOne, hex, logins, type Shown, show } from '../../../support/decoded-logins.ts';

const root = new protobuf.Root();
const message = root
  .loadSync(join(import.meta.dirname, '../../../../proto/login/v1/login.proto'))
  .lookupType('kinesis_fleet.login.v1.LoginMessageV2');

/** The wanted fields alone: the library looks at the text of every field that it knows. */
const wanted = new protobuf.Type('Wanted')
  .add(new protobuf.Field('playerId', 1, 'string'))
  .add(new protobuf.Field('timestamp', 2, 'google.protobuf.Timestamp'))
  .add(new protobuf.Field('country', 3, 'string'));
root.add(wanted);

interface Login {
  readonly playerId: string;
  readonly ms: number;
  readonly country: string;
  readonly deviceId: string;
}

const nasty = fc.constantFrom(
  '{',
  '"',
  '\n',
  ' ',
  '\t',
  '{"playerId":"x","timestamp":"2023-08-01T12:00:00Z"}',
  '[',
  '|',
  '\ufeff',
);
const text = fc.string({ unit: 'binary', maxLength: 20 }).filter((value) => value.isWellFormed());
const playerId = fc.oneof(
  text,
  fc.tuple(nasty, text).map((parts) => parts.join('')),
  // Lengths that make the byte behind the first tag look like JSON: '{', blank, newline, '[', '"'.
  fc
    .tuple(fc.constantFrom('{', 'a', ' '), fc.constantFrom(0x7b, 0x20, 0x0a, 0x5b, 0x22, 0x09))
    .map(([c, n]) => c.repeat(n)),
);
const login: fc.Arbitrary<Login> = fc.record({
  playerId: playerId.filter((id) => id !== ''),
  ms: fc.integer({ min: -62135596800000, max: 253402300799999 }),
  country: fc.oneof(fc.constant(''), fc.constant('DE'), text),
  deviceId: text,
});

function toProtobuf({ playerId: id, ms, country, deviceId }: Login): Uint8Array {
  const seconds = Math.floor(ms / 1000);
  const timestamp = { seconds, nanos: (ms - seconds * 1000) * 1_000_000 };
  return message.encode(message.fromObject({ playerId: id, timestamp, country, deviceId })).finish();
}

function toJson({ playerId: id, ms, country, deviceId }: Login): string {
  return JSON.stringify({ playerId: id, timestamp: new Date(ms).toISOString(), country, deviceId });
}

function expected({ playerId: id, ms, country }: Login): Shown {
  const seconds = Math.floor(ms / 1000);
  const own = { player_id: id, timestamp: `${seconds}.${(ms - seconds * 1000) * 1_000_000}` };
  return country === '' ? { format: 'LoginMessageV1', ...own } : { format: 'LoginMessageV2', ...own, country };
}

describe('a record whose form is to be found out', () => {
  it('is the same login in protobuf, in JSON and in JSON behind white space or a byte order mark', () => {
    const before = fc.constantFrom('', '\n', ' ', '\r\n\t', '\n\n\n\n\n', '\ufeff');
    fc.assert(
      fc.property(fc.array(login, { minLength: 1, maxLength: 5 }), before, (all, blank) => {
        const records = all.flatMap((one) => [toProtobuf(one), Buffer.from(blank + toJson(one))]);

        const batch = decode(records);

        all.forEach((one, i) => {
          expect(show(batch, 2 * i)).toEqual(expected(one));
          expect(show(batch, 2 * i + 1)).toEqual(expected(one));
        });
      }),
      { numRuns: 300 },
    );
  });

  it('is read as protobuf although its first bytes are a newline and a brace', () => {
    const id = `{"playerId":"x","timestamp":"2023-08-01T12:00:00Z"}`.padEnd(0x7b, ' ');
    const record = Buffer.concat([hex('0a 7b'), Buffer.from(id), hex('12 02 08 05')]);

    expect(record.subarray(0, 2).toString()).toBe('\n{');
    expect(decodeOne(record)).toEqual({ format: 'LoginMessageV1', player_id: id, timestamp: '5.0' });
  });

  it('never throws and never says nothing, whatever the bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.string({ maxLength: 40 }).map((s) => Buffer.from(s)),
    );
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 10 }), (records) => {
        const batch = decode(records);

        records.forEach((_, i) => {
          expect(show(batch, i)).toBeDefined();
        });
      }),
      { numRuns: 500 },
    );
  });

  it('that was damaged says what the library reads in it, or is undecodable', () => {
    const damage = fc.record({ at: fc.nat(), byte: fc.nat(255), cut: fc.nat(3) });
    fc.assert(
      fc.property(login, damage, (one, { at, byte, cut }) => {
        const record = Buffer.from(toProtobuf(one));
        record[at % record.length] = byte;
        const shown = decodeOne(record.subarray(0, record.length - cut));
        if (typeof shown === 'string') return;

        const read = wanted.toObject(wanted.decode(record.subarray(0, record.length - cut)), { longs: Number });

        expect(shown.player_id).toBe(read.playerId);
        expect(shown.timestamp).toBe(`${read.timestamp.seconds ?? 0}.${read.timestamp.nanos ?? 0}`);
        expect(shown.country).toBe(read.country === '' ? undefined : read.country);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['protobuf', 'json'],
    ['json', 'protobuf'],
  ] as const)('is not looked at as %s when the pipeline says %s', (form, source) => {
    const one: Login = { playerId: 'p1', ms: 5000, country: '', deviceId: '' };
    const record = form === 'json' ? Buffer.from(toJson(one)) : toProtobuf(one);

    expect(decodeOne(record)).toEqual(expected(one));
    expect(decodeOne(record, { ...logins, source })).toBe(`malformed_${source}`);
  });
});
