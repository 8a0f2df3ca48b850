/**
 * Arbitrary bytes that somebody may put on a stream: logins in every form, damaged or not, aggregates of them with a
 * digest that fits or does not, structure without sense, and noise. For tests that must not be surprised by any.
 */
import fc from 'fast-check';
import type { Login } from '../../producer/login.ts';
import { encodeLogin, JSON_SPELLINGS, PROTOBUF_SPELLINGS } from '../../producer/login-encoding.ts';
import { aggregateOf, field, sealed, userRecord } from './kpl.ts';

const text = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('', '\0', '{"playerId":"x"}', '\ud800', '__proto__', '\ufeff', 'a'.repeat(300)),
);

const login: fc.Arbitrary<Login> = fc.record({
  index: fc.constant(0),
  player: fc.constant(0),
  playerId: text,
  country: fc.integer({ min: -1, max: 50 }),
  seconds: fc.oneof(fc.integer({ min: -62135596800, max: 253402300799 }), fc.constantFrom(0, -1, 1_700_000_000)),
  nanos: fc.nat(999_999_999),
  deviceId: text,
  deviceType: text,
  appVersion: text,
  locale: text,
  ip: text,
});

/** One login in one of its spellings. */
const encoded = fc
  .tuple(login, fc.constantFrom(...PROTOBUF_SPELLINGS, ...JSON_SPELLINGS))
  .map(([one, spelling]) => Buffer.from(encodeLogin(one, spelling)));

const noise = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes));

/** JSON that is anything but what is expected. */
const json = fc.oneof(
  fc.json().map((value) => Buffer.from(value)),
  fc
    .record(
      {
        playerId: fc.oneof(text, fc.jsonValue()),
        timestamp: fc.oneof(fc.constantFrom('2023-02-28T23:59:59Z', '2023-02-29T00:00:00Z'), fc.jsonValue()),
        country: fc.oneof(text, fc.jsonValue()),
      },
      { requiredKeys: [] },
    )
    .map((value) => Buffer.from(JSON.stringify(value))),
  fc.nat(3_000).map((depth) => Buffer.from('['.repeat(depth) + ']'.repeat(depth))),
);

/** Nested fields and groups of any depth, with any number and length. */
const wire = fc.letrec((tie) => ({
  field: fc.oneof(
    { depthSize: 'small' },
    noise,
    fc
      .tuple(fc.integer({ min: 0, max: 30 }), tie('field'))
      .map(([number, content]) => field(number, content as Buffer)),
    fc.tuple(tie('field'), tie('field')).map((parts) => Buffer.concat(parts as Buffer[])),
    fc.nat(300).map((depth) => Buffer.concat([Buffer.alloc(depth, 0x23), Buffer.alloc(depth, 0x24)])),
  ),
})).field as fc.Arbitrary<Buffer>;

const plain = fc.oneof(encoded, noise, json, wire);

const aggregate = fc.oneof(
  fc.array(plain, { minLength: 1, maxLength: 6 }).map((payloads) => aggregateOf(...payloads)),
  fc.array(plain, { maxLength: 4 }).map((bodies) => sealed(Buffer.concat(bodies))),
  fc.tuple(plain, wire).map(([payload, rest]) => sealed(Buffer.concat([userRecord(payload), rest]))),
);

/** With some bytes changed, and cut at both ends. */
const damaged = (whole: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> =>
  fc
    .tuple(whole, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }), fc.nat(4), fc.nat(2))
    .map(([bytes, blows, cutEnd, cutStart]) => {
      const copy = Buffer.from(bytes);
      for (const [at, byte] of blows) if (copy.length > 0) copy[at % copy.length] = byte;
      return copy.subarray(Math.min(cutStart, copy.length), Math.max(cutStart, copy.length - cutEnd));
    });

export const hostileRecord: fc.Arbitrary<Buffer> = fc.oneof(
  plain,
  damaged(plain),
  aggregate,
  damaged(aggregate),
  // Damaged inside, and sealed again: the digest is right and what it covers is not.
  damaged(aggregate).map((bytes) => sealed(bytes.subarray(4, -16))),
);
