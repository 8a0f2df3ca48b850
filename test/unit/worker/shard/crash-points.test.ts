/**
 * Each point of a record's path at which its owner may be killed, by name. After each there is a new owner, which is
 * killed at the same point if it comes there, and one more: counts equal the truth, and the sinks miss nothing.
 */
import { expect, it } from 'vitest';
import { RecordingSink } from '../../../support/recording-sink.ts';
import { type DeathPoint, DyingPorts } from './dying-ports.ts';
import { at, ShardWorld } from './shard-world.ts';

const RECORDS = [1, 2, 3, 2, 'x', 4, 5, 1, 6, 'x', 7, 7] as const;
/** Positions of RECORDS that are fresh, with their payloads. */
const FRESH = [1, 2, 3, 6, 7, 9, 11].map((n) => `${at(n)} ${RECORDS[n - 1]}`);
const CHILD = {
  shardId: 'shardId-000000000001',
  parentShards: ['shardId-000000000000'],
  startingHashKey: '0',
  endingHashKey: '9',
};

/** reading: the shard goes on. leaving: it is handed over while records lie above the checkpoint. ending: it is closed. */
type Phase = 'reading' | 'leaving' | 'ending';

const READING: readonly (readonly [string, DeathPoint])[] = [
  ['before the first slot is opened', { call: 'open 0', side: 'before' }],
  ['between the opening of two slots', { call: 'open 0', side: 'applied' }],
  ['when all slots are open', { call: 'open 1', side: 'answered' }],
  ['before the read', { call: 'read', side: 'before', nth: 2 }],
  ['after the read', { call: 'read', side: 'answered' }],
  ['after decoding', { call: 'decode', side: 'answered' }],
  ['after identifying', { call: 'identify', side: 'answered', nth: 2 }],
  ["before slot 0's commit", { call: 'commit 0', side: 'before' }],
  ["between two slots' commits", { call: 'commit 0', side: 'applied', nth: 2 }],
  ["between two slots' commits, the later slot first", { call: 'commit 1', side: 'answered', lost: 'commit 0' }],
  ["after all slots' commits, of which none was answered", { call: 'commit 1', side: 'applied', nth: 2 }],
  ["after all slots' commits were answered", { call: 'commit 1', side: 'answered', nth: 2 }],
  ['before a dead letter is stored', { call: 'letters', side: 'before' }],
  ['when a dead letter is stored and nobody was told', { call: 'letters', side: 'applied' }],
  ['when a dead letter was stored', { call: 'letters', side: 'answered', nth: 2 }],
  ['before the sinks have the batch', { call: 'deliver', side: 'before', nth: 2 }],
  ['when the sinks have the batch and nobody was told', { call: 'deliver', side: 'applied', nth: 2 }],
  ['when the sinks had the batch', { call: 'deliver', side: 'answered' }],
  ['before its commits settle', { call: 'advance 0', side: 'before' }],
  ["between two slots' advances", { call: 'advance 0', side: 'applied' }],
  ['when an advance was answered', { call: 'advance 1', side: 'answered' }],
  ['when its commits have settled, before the lease is bound', { call: 'bind', side: 'before' }],
  ['when the lease is bound and nobody was told', { call: 'bind', side: 'applied' }],
  ['before the checkpoint', { call: 'checkpoint', side: 'before' }],
  ['when the checkpoint is written and nobody was told', { call: 'checkpoint', side: 'applied' }],
  ['when the checkpoint was written', { call: 'checkpoint', side: 'answered' }],
];

const LEAVING: readonly (readonly [string, DeathPoint])[] = [
  ['before it gives the lease back', { call: 'release', side: 'before' }],
  ['when the lease is given back and nobody was told', { call: 'release', side: 'applied' }],
];

const ENDING: readonly (readonly [string, DeathPoint])[] = [
  ['before the rows move to the end', { call: 'end 0', side: 'before' }],
  ["between two slots' moves to the end", { call: 'end 0', side: 'applied' }],
  ['when all rows are at the end, before that settles', { call: 'end 1', side: 'answered' }],
  ["before the child's row", { call: 'create', side: 'before' }],
  ["when the child's row is there and nobody was told", { call: 'create', side: 'applied' }],
  ["after the child's row, before the shard end", { call: 'shardEnd', side: 'before' }],
  ['when the shard end is written and nobody was told', { call: 'shardEnd', side: 'applied' }],
];

const POINTS: readonly (readonly [string, DeathPoint, Phase])[] = [
  ...READING.map(([name, point]) => [name, point, 'reading'] as const),
  ...LEAVING.map(([name, point]) => [name, point, 'leaving'] as const),
  ...ENDING.map(([name, point]) => [name, point, 'ending'] as const),
];

it.each(POINTS)('a shard whose owner is killed %s is counted exactly, and its sinks miss nothing', async (...args) => {
  const [, point, phase] = args;
  const world = new ShardWorld();
  const sink = new RecordingSink();
  world.shard.put(...RECORDS);
  if (phase === 'ending') world.endShard([CHILD]);

  const isKilled = await liveTo(world, sink, point, phase);
  await world.assertSafe();
  const { lost: _, ...again } = point;
  await liveTo(world, sink, again, phase);
  await world.assertSafe();
  world.endShard([CHILD]);
  await liveTo(world, sink, undefined, 'ending');

  expect(isKilled).toBe(true);
  expect(world.lease.checkpoint.kind).toBe('SHARD_END');
  expect(world.rows.size).toBe(2);
  await world.assertExact();
  expect([...new Set(sink.delivered)].toSorted()).toEqual(FRESH);
});

/** One owner's life, up to the point or to the end of the work. True when it was killed. */
async function liveTo(
  world: ShardWorld,
  sink: RecordingSink,
  point: DeathPoint | undefined,
  phase: Phase,
): Promise<boolean> {
  if (world.lease.checkpoint.kind === 'SHARD_END') return false;
  const ports = new DyingPorts(world, sink, point);
  const owner = world.start(ports.parts);
  if (phase === 'leaving') {
    await world.clock.advance(500);
    await world.store.handoff(world.lease, owner.workerId, 'worker-new');
    owner.consumer.leave('handoff');
  }
  const isOver = (): boolean => owner.consumer.state === 'Released' || (phase === 'reading' && world.isDone());
  await world.clock.advanceUntil(() => ports.isDead || isOver(), 60_000);
  await owner.kill();
  return ports.isDead;
}
