/** The body of a GetRecords answer as columns. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeRecordPage } from '../../../../worker/source/record-page.ts';
import { payloadsOf } from '../../../support/polled-shard.ts';

const JSON_TYPE = 'application/x-amz-json-1.1';

function answerOf(payloads: readonly Uint8Array[], rest: object = {}): Buffer {
  const Records = payloads.map((payload, i) => ({
    Data: Buffer.from(payload).toString('base64'),
    SequenceNumber: String(100 + i),
    ApproximateArrivalTimestamp: 1_795_257_960.417,
    PartitionKey: 'clé',
  }));
  return Buffer.from(JSON.stringify({ Records, MillisBehindLatest: 7, NextShardIterator: 'next', ...rest }));
}

test('records become columns: bytes, padded sequence numbers, arrival times in milliseconds', () => {
  const page = decodeRecordPage(answerOf([Buffer.from('one'), Buffer.from(''), Buffer.from('three')]), JSON_TYPE, 5);
  expect(payloadsOf({ ...page, isShardEnd: false })).toEqual(['one', '', 'three']);
  expect(page.sequenceNumbers[1]).toBe('101'.padStart(56, '0'));
  expect([...page.arrivalsMs]).toEqual([1_795_257_960_417, 1_795_257_960_417, 1_795_257_960_417]);
  expect(page).toMatchObject({ millisBehindLatest: 7, nextShardIterator: 'next', answeredAtMs: 5, childShards: [] });
});

test('any bytes come out as they went in, in a block of just their size', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), (payloads) => {
      const page = decodeRecordPage(answerOf(payloads), JSON_TYPE, 0);
      const seen = payloads.map((_, i) => page.bytes.slice(page.starts[i], page.ends[i]));
      expect(seen.map((bytes) => [...bytes])).toEqual(payloads.map((bytes) => [...bytes]));
      expect(page.bytes.byteLength).toBe(payloads.reduce((sum, bytes) => sum + bytes.length, 0));
    }),
  );
});

test('the end of a closed shard has no iterator and names its children', () => {
  const range = { StartingHashKey: '0', EndingHashKey: '9' };
  const ChildShards = [{ ShardId: 'child', ParentShards: ['a', 'b'], HashKeyRange: range }];
  const page = decodeRecordPage(answerOf([], { NextShardIterator: null, ChildShards }), JSON_TYPE, 0);
  expect(page.nextShardIterator).toBeUndefined();
  expect(page.childShards).toEqual([
    { shardId: 'child', parentShards: ['a', 'b'], startingHashKey: '0', endingHashKey: '9' },
  ]);
});

test.each([
  ['cut short', answerOf([Buffer.from('one')]).subarray(0, 40), JSON_TYPE],
  ['without the data of a record', Buffer.from('{"Records":[{"SequenceNumber":"1"}]}'), JSON_TYPE],
  ['of another content type', answerOf([]), 'text/html'],
])('an answer %s is an error to retry, not an empty page', (_, body, contentType) => {
  expect(() => decodeRecordPage(body, contentType, 0)).toThrow(
    expect.objectContaining({ code: 'UndecodableAnswer', disposition: 'retry' }),
  );
});
