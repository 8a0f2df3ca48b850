/**
 * kill -9 of real worker processes, at numbered points of a record's path, against real servers: each owner gets as far
 * as the next point, its successor goes on. Then the counts equal the producer's truth, and the sinks have every fresh
 * record. The same points, and more of them, on a turned clock: test/unit/worker/shard/crash-points.test.ts.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SplitShardCommand } from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Child } from '../../../local/child.ts';
import type { Stage } from '../../../local/stage.ts';
import type { FleetCounts } from '../../../pipelines/fleet-counts.ts';
import { systemClock as clock } from '../../../runtime/clock.ts';
import { produceFor, startLiveFleet, until } from '../../support/live-fleet.ts';
import type { DeathPoint } from './dying-worker.ts';

const DEATH_MS = 30_000;
const RATE = 250;
const SECONDS_PER_POINT = 2;

/** reading: nobody interferes. leaving: asked by SIGTERM. handing: half of the shards go to another worker. */
type Phase = 'reading' | 'leaving' | 'handing';

const point = (call: string, side: DeathPoint['side'], nth = 1): DeathPoint => ({ call, side, nth });

/** In an order in which each can be reached: a lease is bound once, a shard ends once. */
const POINTS: readonly (readonly [string, DeathPoint, Phase])[] = [
  ['before a slot is opened', point('open 0', 'before'), 'reading'],
  ['when one of two slots is open', point('open 1', 'after'), 'reading'],
  ['when its commits have settled, before the lease is bound', point('bind', 'before'), 'reading'],
  ['when the lease is bound', point('bind', 'after'), 'reading'],
  ['before a read', point('read', 'before', 2), 'reading'],
  ['after a read', point('read', 'after', 2), 'reading'],
  ['after decoding', point('decode', 'after', 2), 'reading'],
  ['after identifying', point('identify', 'after', 3), 'reading'],
  ["before slot 0's commit", point('commit 0', 'before', 3), 'reading'],
  ["after slot 0's commit", point('commit 0', 'after', 4), 'reading'],
  ["after slot 1's commit", point('commit 1', 'after', 3), 'reading'],
  ['before a dead letter is stored', point('letters', 'before'), 'reading'],
  ['when a dead letter is stored', point('letters', 'after'), 'reading'],
  ['before the sink has the batch', point('deliver', 'before', 3), 'reading'],
  ['when the sink has the batch', point('deliver', 'after', 3), 'reading'],
  ["before a slot's advance", point('advance 0', 'before', 2), 'reading'],
  ["after a slot's advance", point('advance 1', 'after', 2), 'reading'],
  ['before a checkpoint', point('checkpoint', 'before', 2), 'reading'],
  ['after a checkpoint', point('checkpoint', 'after', 2), 'reading'],
  ['before it frees a lease', point('free', 'before'), 'leaving'],
  ['when one of its leases is free', point('free', 'after'), 'leaving'],
  ['before it releases a lease to its heir', point('release', 'before'), 'handing'],
  ['when a lease is released to its heir', point('release', 'after'), 'handing'],
  ["before the rows of a shard's end", point('end 0', 'before'), 'reading'],
  ["when one slot's row is at the shard's end", point('end 0', 'after'), 'reading'],
  ["before a child's row", point('create', 'before'), 'reading'],
  ["when a child's row is there", point('create', 'after'), 'reading'],
  ['before the shard end', point('shardEnd', 'before'), 'reading'],
  ['when the shard end is written', point('shardEnd', 'after'), 'reading'],
];

let stage: Stage;
let production: Promise<FleetCounts>;
const dir = mkdtempSync(join(tmpdir(), 'kinesis-fleet-crashes-'));
const delivered = join(dir, 'delivered');
const children: Child[] = [];

beforeAll(async () => {
  const settings = { SLOTS: '2', CHECKPOINT_MS: '200', SETTLE_MS: '200', LIST_SHARDS_MS: '1000' };
  stage = await startLiveFleet({ workers: 0, shards: 2, settings });
  production = produceFor(stage, POINTS.length * SECONDS_PER_POINT, RATE, 51);
}, 60_000);
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await stage?.abort();
  rmSync(dir, { recursive: true, force: true });
});

/** @param dieAt undefined = it lives until it is told to stop. */
function startWorker(dieAt?: DeathPoint): Child {
  const name = `mortal-${children.length + 1}`;
  const death = dieAt && { DIE_AT: JSON.stringify(dieAt) };
  const child = new Child({
    ...{ name, clock, command: process.execPath, args: [join(import.meta.dirname, 'dying-worker.ts')] },
    env: { ...stage.env, ...death, DELIVERED: delivered, WORKER_NAME: name, KUBERNETES: 'off', HTTP_PORT: '0' },
  });
  children.push(child);
  return child;
}

/** The row alone does not tell: a worker that has a lease may not have begun with it, and then gives nothing back. */
async function untilReading({ name, lines }: Child): Promise<void> {
  const isReading = async (): Promise<boolean> => {
    const open = (await stage.observer.leases()).filter(({ checkpoint }) => checkpoint.kind !== 'SHARD_END');
    const begun = lines.filter((line) => line.includes('"state":"Reading"')).join('\n');
    return open.length > 0 && open.every(({ key }) => begun.includes(`"${key}"`));
  };
  expect(await until(isReading, DEATH_MS), `${name} reads every shard`).toBe(true);
}

async function untilKilled({ name, exited, lines }: Child): Promise<void> {
  const late = clock.sleep(DEATH_MS).then(() => 'not reached');
  const ended = await Promise.race([exited, late]);
  expect(ended, `the end of ${name}:\n${lines.slice(-15).join('\n')}`).toBe('SIGKILL');
}

it.each(POINTS)('a worker is killed %s', { timeout: 3 * DEATH_MS }, async (_, dieAt, phase) => {
  if (dieAt.call === 'end 0' && dieAt.side === 'before') await split();
  const victim = startWorker(dieAt);
  if (phase === 'leaving' || phase === 'handing') await untilReading(victim);
  if (phase === 'leaving') victim.kill('SIGTERM');
  const heir = phase === 'handing' ? startWorker() : undefined;

  await untilKilled(victim);

  heir?.kill('SIGKILL');
  await heir?.exited;
});

it('and then the counts equal the truth, every shard went on, and the sink has every fresh record', async () => {
  const truth = await production;
  startWorker();
  const counted = await stage.untilCounted(truth.records, 60_000);

  expect(counted).toEqual(truth);
  const identities = readFileSync(delivered, 'utf8').trimEnd().split('\n');
  expect(new Set(identities).size).toBe(truth.fresh);
  // What was delivered again was above a checkpoint when its owner died.
  console.info(`${truth.fresh} fresh records reached the sink, ${identities.length - truth.fresh} of them again`);
  const ended = (await stage.observer.leases()).filter(({ checkpoint }) => checkpoint.kind === 'SHARD_END');
  expect(ended.map(({ shardId }) => shardId)).toEqual(['shardId-000000000000']);
}, 150_000);

async function split(): Promise<void> {
  const NewStartingHashKey = String(2n ** 126n);
  await stage.kinesis.send(
    new SplitShardCommand({ StreamName: stage.stream, ShardToSplit: 'shardId-000000000000', NewStartingHashKey }),
  );
  await stage.untilActive();
}
