/** The contract of reading: the five iterator types, limits, lag, and what is refused. */
import { setTimeout as pause } from 'node:timers/promises';
import { GetRecordsCommand } from '@aws-sdk/client-kinesis';
import type { ContractCase } from './contract-case.ts';
import { errorName, type StreamScene, textsOf } from './stream-scene.ts';

interface Written {
  name: string;
  sequenceNumbers: string[];
  /** After the second record and before the third. */
  middle: Date;
}

/** Records a and b, a pause, records c and d. */
async function written(scene: StreamScene): Promise<Written> {
  const name = await scene.stream();
  const first = await scene.put(name, ['a', 'b']);
  await pause(20);
  const middle = new Date();
  await pause(5);
  const second = await scene.put(name, ['c', 'd']);
  return { name, sequenceNumbers: [...first, ...second].map((entry) => entry.SequenceNumber!), middle };
}

export const ITERATOR_CASES: readonly ContractCase[] = [
  {
    id: 'trim-horizon',
    title: 'TRIM_HORIZON reads from the oldest record',
    async observe(scene) {
      const { name } = await written(scene);
      return textsOf(await scene.read(await scene.iterator(name, 'TRIM_HORIZON')));
    },
    expected: ['a', 'b', 'c', 'd'],
  },
  {
    id: 'latest',
    title: 'LATEST reads what is put after it was fetched',
    async observe(scene) {
      const { name } = await written(scene);
      const iterator = await scene.iterator(name, 'LATEST');
      await scene.put(name, ['e']);
      return textsOf(await scene.read(iterator));
    },
    expected: ['e'],
  },
  {
    id: 'at-sequence',
    title: 'AT_SEQUENCE_NUMBER reads from the record itself',
    async observe(scene) {
      const { name, sequenceNumbers } = await written(scene);
      const StartingSequenceNumber = sequenceNumbers[1]!;
      return textsOf(await scene.read(await scene.iterator(name, 'AT_SEQUENCE_NUMBER', { StartingSequenceNumber })));
    },
    expected: ['b', 'c', 'd'],
  },
  {
    id: 'after-sequence',
    title: 'AFTER_SEQUENCE_NUMBER reads from the record that follows',
    async observe(scene) {
      const { name, sequenceNumbers } = await written(scene);
      const StartingSequenceNumber = sequenceNumbers[1]!;
      return textsOf(await scene.read(await scene.iterator(name, 'AFTER_SEQUENCE_NUMBER', { StartingSequenceNumber })));
    },
    expected: ['c', 'd'],
  },
  {
    id: 'at-shard-start',
    title: "a shard's starting sequence number is a place to start from",
    async observe(scene) {
      const { name } = await written(scene);
      const StartingSequenceNumber = (await scene.shards(name))[0]!.SequenceNumberRange!.StartingSequenceNumber!;
      return textsOf(await scene.read(await scene.iterator(name, 'AT_SEQUENCE_NUMBER', { StartingSequenceNumber })));
    },
    expected: ['a', 'b', 'c', 'd'],
  },
  {
    id: 'at-timestamp',
    title: 'AT_TIMESTAMP reads from the first record that arrived then or later',
    async observe(scene) {
      const { name, middle } = await written(scene);
      return textsOf(await scene.read(await scene.iterator(name, 'AT_TIMESTAMP', { Timestamp: middle })));
    },
    expected: ['c', 'd'],
  },
  {
    id: 'at-timestamp-early',
    title: 'AT_TIMESTAMP before the oldest record reads from that',
    async observe(scene) {
      const { name } = await written(scene);
      const Timestamp = new Date(Date.now() - 3_600_000);
      return textsOf(await scene.read(await scene.iterator(name, 'AT_TIMESTAMP', { Timestamp })));
    },
    expected: ['a', 'b', 'c', 'd'],
  },
  {
    id: 'at-timestamp-tip',
    title: 'AT_TIMESTAMP after the last record reads what comes next',
    async observe(scene) {
      const { name } = await written(scene);
      await pause(5);
      const iterator = await scene.iterator(name, 'AT_TIMESTAMP', { Timestamp: new Date() });
      await scene.put(name, ['e']);
      return textsOf(await scene.read(iterator));
    },
    expected: ['e'],
  },
  {
    id: 'limit-and-lag',
    title: 'a limited read goes on where it stopped, and its lag is zero only at the tip',
    async observe(scene) {
      const { name } = await written(scene);
      const first = await scene.read(await scene.iterator(name, 'TRIM_HORIZON'), 3);
      const second = await scene.read(first.NextShardIterator!, 3);
      return [textsOf(first), first.MillisBehindLatest! > 0, textsOf(second), second.MillisBehindLatest];
    },
    expected: [['a', 'b', 'c'], true, ['d'], 0],
  },
  {
    id: 'limit-range',
    title: 'a limit lies within 1 and 10,000',
    async observe(scene) {
      const iterator = await scene.iterator(await scene.stream(), 'TRIM_HORIZON');
      const send = (Limit: number): Promise<string> =>
        errorName(scene.client.send(new GetRecordsCommand({ ShardIterator: iterator, Limit })));
      return [await send(10_000), await send(10_001), await send(0)];
    },
    expected: ['accepted', 'InvalidArgumentException', 'ValidationException'],
  },
  {
    id: 'tip-iterator',
    title: 'a read at the tip is empty and its next iterator waits for what comes',
    async observe(scene) {
      const name = await scene.stream();
      const empty = await scene.read(await scene.iterator(name, 'TRIM_HORIZON'));
      await scene.put(name, ['a']);
      return [textsOf(empty), textsOf(await scene.read(empty.NextShardIterator!))];
    },
    expected: [[], ['a']],
  },
  {
    id: 'foreign-sequence',
    title: "another shard's sequence number is refused",
    async observe(scene) {
      const name = await scene.stream(2);
      const [other] = await scene.put(name, ['a'], (2n ** 128n - 1n).toString());
      const extra = { StartingSequenceNumber: other!.SequenceNumber! };
      return errorName(scene.iterator(name, 'AFTER_SEQUENCE_NUMBER', extra));
    },
    expected: 'InvalidArgumentException',
  },
  {
    id: 'iterator-refusals',
    title: 'an iterator needs what its type needs and nothing else',
    async observe(scene) {
      const { name, sequenceNumbers } = await written(scene);
      const StartingSequenceNumber = sequenceNumbers[0]!;
      return {
        unknownShard: await errorName(scene.iterator(name, 'LATEST', { ShardId: 'shardId-000000000009' })),
        unknownStream: await errorName(scene.iterator('unknown', 'LATEST')),
        withoutSequence: await errorName(scene.iterator(name, 'AT_SEQUENCE_NUMBER')),
        needlessSequence: await errorName(scene.iterator(name, 'LATEST', { StartingSequenceNumber })),
        withoutTimestamp: await errorName(scene.iterator(name, 'AT_TIMESTAMP')),
        future: await errorName(scene.iterator(name, 'AT_TIMESTAMP', { Timestamp: new Date(Date.now() + 3_600_000) })),
        wrongType: await errorName(scene.iterator(name, 'SOMEWHERE' as 'LATEST')),
      };
    },
    expected: {
      unknownShard: 'ResourceNotFoundException',
      unknownStream: 'ResourceNotFoundException',
      withoutSequence: 'InvalidArgumentException',
      needlessSequence: 'InvalidArgumentException',
      withoutTimestamp: 'InvalidArgumentException',
      future: 'InvalidArgumentException',
      wrongType: 'ValidationException',
    },
  },
  {
    id: 'garbage-iterator',
    title: 'an iterator that was never given is refused',
    observe: (scene) => errorName(scene.read('AAAAgarbage')),
    expected: 'InvalidArgumentException',
  },
];
