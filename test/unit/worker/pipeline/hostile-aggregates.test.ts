/**
 * Records that look like aggregates and are not, or only just. What is no aggregate to its last byte is the plain record
 * that it came as: it is then decoded like any other, which mostly ends in a dead letter that has all of its bytes.
 */
import { join } from 'node:path';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { START } from '../../../../lease/position.ts';
import { deaggregate } from '../../../../worker/pipeline/deaggregate.ts';
import { rawBatchOf } from '../../../support/fake-source.ts';
import { aggregateOf, field, oracleAggregate, sealed, unpack, userRecord } from '../../../support/kpl.ts';

const MIB = 1024 * 1024;
const bytes = (...values: number[]): Buffer => Buffer.from(values);
const TABLE = field(1, Buffer.from('key'));
const GOOD = userRecord('good');
const INDEX = bytes(0x08, 0x00);
const DATA = field(3, Buffer.from('good'));
const whole = aggregateOf('one', 'two');
const changed = (at: number): Buffer => {
  const copy = Buffer.from(whole);
  copy[at < 0 ? copy.length + at : at]! ^= 1;
  return copy;
};
const nested = (depth: number): Buffer => Buffer.concat([Buffer.alloc(depth, 0x23), Buffer.alloc(depth, 0x24)]);

const one = (payload: Uint8Array) => rawBatchOf([{ sequenceNumber: '1', payload }]);

/** Payloads of an aggregate, or `plain` when all bytes came through as one record. */
function outcome(payload: Uint8Array): string[] | 'plain' {
  const unpacked = unpack(one(payload));
  if (unpacked.length === 1 && unpacked[0]!.payload.equals(payload)) return 'plain';
  return unpacked.map((record) => record.payload.toString());
}

describe('a record that begins like an aggregate', () => {
  it.each<readonly [string, Buffer, string[] | 'plain']>([
    ['is nothing but the magic bytes', whole.subarray(0, 4), 'plain'],
    ['has room for no message between magic bytes and digest', sealed(bytes()), 'plain'],
    ['is cut short by one byte', whole.subarray(0, -1), 'plain'],
    ['is cut in the middle', whole.subarray(0, whole.length / 2), 'plain'],
    ['has one wrong bit in the digest', changed(-1), 'plain'],
    ['has one wrong bit in the message', changed(8), 'plain'],
    ['has one wrong bit in the magic bytes', changed(3), 'plain'],
    ['has keys and no user record', sealed(TABLE), 'plain'],
    ['has a user record longer than the message', sealed(Buffer.concat([TABLE, bytes(0x1a, 0x7f), INDEX])), 'plain'],
    ['has a payload longer than its user record', sealed(field(3, INDEX, bytes(0x1a, 0x40, 1))), 'plain'],
    ['has a length of 4 GiB', sealed(bytes(0x1a, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x08, 0x00)), 'plain'],
    ['has a length that never ends', sealed(Buffer.concat([bytes(0x1a), Buffer.alloc(30, 0xff)])), 'plain'],
    ['has a key longer than the message', sealed(bytes(0x0a, 0x7f, 0x61)), 'plain'],
    ['has a good user record before rubbish', sealed(Buffer.concat([GOOD, bytes(0x1a, 0x7f)])), 'plain'],
    ['has rubbish after its last user record', sealed(Buffer.concat([GOOD, bytes(0x07)])), 'plain'],
    ['has a user record without a payload', sealed(Buffer.concat([GOOD, field(3, INDEX)])), 'plain'],
    ['has a user record without a key', sealed(field(3, DATA)), 'plain'],
    ['has a number where a user record belongs', sealed(Buffer.concat([GOOD, bytes(0x18, 0x01)])), 'plain'],
    ['has groups nested deeper than any reader goes', sealed(Buffer.concat([GOOD, nested(5_000)])), 'plain'],
    ['has a group that never ends', sealed(Buffer.concat([GOOD, bytes(0x23)])), 'plain'],
    ['has a field number 0', sealed(Buffer.concat([GOOD, bytes(0x02, 0x00)])), 'plain'],
    ['has bytes after the digest', Buffer.concat([whole, bytes(0)]), 'plain'],
    ['has a partition key index beyond its table', sealed(field(3, bytes(0x08, 0x63), DATA)), ['good']],
    ['has no key tables at all', sealed(GOOD), ['good']],
    ['has its tables behind the user records', sealed(Buffer.concat([GOOD, TABLE])), ['good']],
    ['has fields that nobody knows', sealed(Buffer.concat([field(9, TABLE), GOOD, nested(3)])), ['good']],
    [
      'has tags and unknown fields in a user record',
      sealed(field(3, INDEX, field(4, DATA), DATA, bytes(0x38, 1))),
      ['good'],
    ],
    ['has a payload twice', sealed(field(3, INDEX, field(3, bytes(0)), DATA)), ['good']],
    ['has an empty payload', sealed(Buffer.concat([userRecord(''), GOOD])), ['', 'good']],
    [
      'has lengths longer than they need be',
      sealed(Buffer.concat([bytes(0x1a, 0x88, 0x80, 0x00), INDEX, DATA])),
      ['good'],
    ],
    ['is an aggregate in an aggregate: only the outer one is unpacked', aggregateOf(whole), [whole.toString()]],
  ])('and %s', (_, payload, expected) => {
    expect(outcome(payload)).toEqual(expected);
  });

  it('and has 10 MiB of the smallest user records is cut into batches, in memory that does not grow with them', () => {
    const smallest = userRecord('');
    const count = Math.floor((10 * MIB - 20) / smallest.length);
    const payload = sealed(Buffer.alloc(count * smallest.length, smallest));
    const startedMs = performance.now();
    let [found, largest] = [0, 0];

    for (const records of deaggregate(one(payload), START)) {
      found += records.count;
      largest = Math.max(largest, records.count, records.starts.buffer.byteLength / 4);
    }

    expect(found).toBe(count);
    expect(largest).toBe(1000);
    expect(performance.now() - startedMs).toBeLessThan(8_000);
  });

  it('and is one payload of 10 MiB is not copied', () => {
    const payload = Buffer.alloc(10 * MIB - 100, 7);
    const size = [
      payload.length & 0x7f,
      (payload.length >>> 7) & 0x7f,
      (payload.length >>> 14) & 0x7f,
      payload.length >>> 21,
    ];
    const data = Buffer.concat([bytes(0x1a, size[0]! | 0x80, size[1]! | 0x80, size[2]! | 0x80, size[3]!), payload]);
    const length = data.length + 2;
    const outer = [length & 0x7f, (length >>> 7) & 0x7f, (length >>> 14) & 0x7f, length >>> 21];
    const head = bytes(0x1a, outer[0]! | 0x80, outer[1]! | 0x80, outer[2]! | 0x80, outer[3]!, 0x08, 0x00);
    const raw = one(sealed(Buffer.concat([head, data])));

    const [records] = deaggregate(raw, START);

    expect(records!.bytes).toBe(raw.bytes);
    expect(records!.ends[0]! - records!.starts[0]!).toBe(payload.length);
  });
});

describe('a damaged aggregate with a digest that fits again', () => {
  const root = new protobuf.Root().loadSync(
    join(import.meta.dirname, '../../../../proto/kpl/v1/aggregated_record.proto'),
    { keepCase: true },
  );
  // Tags are not read, so that nothing in them makes a record a plain one.
  const inner = root.lookupType('kinesis_fleet.kpl.v1.Record');
  inner.remove(inner.fields.tags!);
  const message = root.lookupType('kinesis_fleet.kpl.v1.AggregatedRecord');

  it('is what the protobuf library reads in it, or a plain record, and never ends in an error', () => {
    const record = fc.record({
      partitionKey: fc.constantFrom('k-a', 'k-b'),
      explicitHashKey: fc.constantFrom('h-1', 'h-2'),
      data: fc.uint8Array({ maxLength: 20 }),
    });
    const damage = fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255), cut: fc.nat(2) }), { maxLength: 3 });
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 5 }), damage, (records, blows) => {
        let body = Buffer.from(oracleAggregate(records).subarray(4, -16));
        for (const { at, byte, cut } of blows) {
          body[at % body.length] = byte;
          body = body.subarray(0, Math.max(1, body.length - cut));
        }
        const unpacked = unpack(one(sealed(body)));
        if (unpacked.length === 1 && unpacked[0]!.payload.equals(sealed(body))) return;

        const read = message.decode(body) as unknown as { readonly records: readonly { readonly data: Uint8Array }[] };

        expect(unpacked.map(({ payload }) => payload)).toEqual(read.records.map(({ data }) => Buffer.from(data)));
      }),
      { numRuns: 2_000 },
    );
  });
});
