/** The contract of writing: what comes back, where records go, what is refused. Reading is in iterator-cases.ts. */
import { createHash } from 'node:crypto';
import { PutRecordCommand, PutRecordsCommand, type PutRecordsRequestEntry } from '@aws-sdk/client-kinesis';
import type { ContractCase } from './contract-case.ts';
import { errorName, type StreamScene, shardNumber } from './stream-scene.ts';

const MIB = 1024 * 1024;

async function putAll(scene: StreamScene, name: string, records: PutRecordsRequestEntry[]): Promise<string> {
  return errorName(scene.client.send(new PutRecordsCommand({ StreamName: name, Records: records })));
}

function entry(overrides: Partial<PutRecordsRequestEntry> = {}): PutRecordsRequestEntry {
  return { Data: Buffer.from('x'), PartitionKey: 'key', ...overrides };
}

export const RECORD_CASES: readonly ContractCase[] = [
  {
    id: 'round-trip',
    title: 'bytes and partition keys come back as they were put, in order',
    async observe(scene) {
      const name = await scene.stream();
      const datas = [Buffer.from([0, 255, 10, 34, 92]), Buffer.from('text'), Buffer.alloc(300, 7)];
      const keys = ['plain', 'with "quotes" \\ and\nbreaks', 'ünïcode 😀'];
      for (const [index, Data] of datas.entries()) {
        await scene.client.send(new PutRecordCommand({ StreamName: name, Data, PartitionKey: keys[index]! }));
      }
      const { Records } = await scene.read(await scene.iterator(name, 'TRIM_HORIZON'));
      return Records?.map((record, index) => [datas[index]?.equals(record.Data!), keys.indexOf(record.PartitionKey!)]);
    },
    expected: [
      [true, 0],
      [true, 1],
      [true, 2],
    ],
  },
  {
    id: 'sequence-numbers',
    title:
      'sequence numbers have 56 digits, grow within a shard, lie in its range, and are those that the put returned',
    async observe(scene) {
      const name = await scene.stream();
      const put = [...(await scene.put(name, ['a', 'b', 'c'])), ...(await scene.put(name, ['d']))];
      const { Records } = await scene.read(await scene.iterator(name, 'TRIM_HORIZON'));
      const read = (Records ?? []).map((record) => record.SequenceNumber!);
      const start = (await scene.shards(name))[0]?.SequenceNumberRange?.StartingSequenceNumber ?? '';
      return {
        areSame: read.every((number, index) => number === put[index]?.SequenceNumber),
        areGrowing: read.every((number, index) => index === 0 || BigInt(number) > BigInt(read[index - 1]!)),
        areInRange: read.every((number) => BigInt(number) >= BigInt(start)),
        lengths: [...new Set([start, ...read].map((number) => number.length))],
      };
    },
    expected: { areSame: true, areGrowing: true, areInRange: true, lengths: [56] },
  },
  {
    id: 'routing',
    title: 'the MD5 of the partition key names the shard, unless an explicit hash key does',
    async observe(scene) {
      const name = await scene.stream(4);
      const keys = Array.from({ length: 20 }, (_, index) => `user-${index}`);
      const { Records } = await scene.client.send(
        new PutRecordsCommand({ StreamName: name, Records: keys.map((PartitionKey) => entry({ PartitionKey })) }),
      );
      const wanted = keys.map((key) => createHash('md5').update(key).digest()[0]! >> 6);
      const [last] = await scene.put(name, ['x'], (2n ** 128n - 1n).toString());
      return [
        Records?.every((record, index) => shardNumber(record.ShardId) === wanted[index]),
        shardNumber(last?.ShardId),
      ];
    },
    expected: [true, 3],
  },
  {
    id: 'arrival-time',
    title: 'a record is stamped with the time at which it arrived',
    async observe(scene) {
      const name = await scene.stream();
      const beforeMs = Date.now();
      await scene.put(name, ['a']);
      const afterMs = Date.now();
      const { Records } = await scene.read(await scene.iterator(name, 'TRIM_HORIZON'));
      const arrivedMs = Records?.[0]?.ApproximateArrivalTimestamp?.getTime() ?? 0;
      return arrivedMs >= beforeMs && arrivedMs <= afterMs;
    },
    expected: true,
  },
  {
    id: 'put-batch',
    title: 'PutRecords takes 500 records, not 501 and not none',
    async observe(scene) {
      const name = await scene.stream();
      return [
        await putAll(
          scene,
          name,
          Array.from({ length: 500 }, () => entry()),
        ),
        await putAll(
          scene,
          name,
          Array.from({ length: 501 }, () => entry()),
        ),
        await putAll(scene, name, []),
      ];
    },
    expected: ['accepted', 'ValidationException', 'ValidationException'],
  },
  {
    id: 'put-unknown',
    title: 'a put to an unknown stream says so',
    observe: (scene) => putAll(scene, 'unknown', [entry()]),
    expected: 'ResourceNotFoundException',
  },
  {
    id: 'put-keys',
    title: 'partition keys have 1 to 256 characters, explicit hash keys lie below 2^128',
    async observe(scene) {
      const name = await scene.stream();
      return [
        await putAll(scene, name, [entry({ PartitionKey: 'k'.repeat(256) })]),
        await putAll(scene, name, [entry({ PartitionKey: 'k'.repeat(257) })]),
        await putAll(scene, name, [entry({ PartitionKey: '' })]),
        await putAll(scene, name, [entry({ ExplicitHashKey: (2n ** 128n).toString() })]),
        await putAll(scene, name, [entry({ ExplicitHashKey: 'abc' })]),
      ];
    },
    expected: [
      'accepted',
      'ValidationException',
      'ValidationException',
      'InvalidArgumentException',
      'ValidationException',
    ],
  },
  {
    id: 'record-size',
    title: 'a record above 1 MiB is refused',
    async observe(scene) {
      const name = await scene.stream();
      return [
        await putAll(scene, name, [entry({ Data: Buffer.alloc(MIB - 3) })]),
        await putAll(scene, name, [entry({ Data: Buffer.alloc(MIB + 1) })]),
      ];
    },
    expected: ['accepted', 'ValidationException'],
  },
  {
    id: 'request-size',
    title: 'a PutRecords of more than 10 MiB is refused, one of 9 MiB is not',
    async observe(scene) {
      const name = await scene.stream();
      const large = entry({ Data: Buffer.alloc(0.9 * MIB) });
      return [
        await putAll(
          scene,
          name,
          Array.from({ length: 10 }, () => large),
        ),
        await putAll(
          scene,
          name,
          Array.from({ length: 12 }, () => large),
        ),
      ];
    },
    expected: ['accepted', 'InvalidArgumentException'],
  },
];
