/**
 * What the demo does to the fleet while records flow, each at a share of the production: scaling, resharding, kill -9.
 * Each fault says what it did, and how it is known to have struck.
 */
import { MergeShardsCommand, SplitShardCommand } from '@aws-sdk/client-kinesis';
import { isFinished, isHeldBy, type Lease } from '../../lease/lease.ts';
import type { Member } from '../fleet.ts';
import type { Stage } from '../stage.ts';
import type { Strike } from './verdict.ts';

export interface Fault {
  /** Share of the production after which it begins. */
  readonly at: number;
  readonly strike: (stage: Stage, say: (text: string) => void) => Promise<Strike | undefined>;
}

const KILL_TRIES = 3;
const HASH_KEYS = 2n ** 128n;

export function faultScript(workers: number): readonly Fault[] {
  return [
    { at: 0.08, strike: scaleTo(workers + 2) },
    { at: 0.22, strike: splitWidest },
    { at: 0.4, strike: killOne },
    { at: 0.58, strike: mergeNarrowest },
    { at: 0.74, strike: scaleTo(Math.max(1, workers - 1)) },
  ];
}

function scaleTo(count: number): Fault['strike'] {
  return async (stage, say) => {
    const before = stage.fleet.workers.length;
    say(`scaling from ${before} to ${count} workers`);
    for (const worker of stage.fleet.workers.slice(count)) await stage.observer.scrape(worker);
    await stage.fleet.scale(count);
    say(`${count} workers run${count < before ? '; the others drained and exited 0' : ''}`);
    return undefined;
  };
}

async function splitWidest(stage: Stage, say: (text: string) => void): Promise<undefined> {
  const widest = openLeases(await stage.stores.leases.readAll()).toSorted((a, b) => (width(b) > width(a) ? 1 : -1))[0];
  if (!widest) throw new Error('there is no open shard to split');
  const middle = BigInt(widest.startingHashKey ?? 0) + width(widest) / 2n;
  say(`splitting ${widest.shardId}`);
  await stage.kinesis.send(
    new SplitShardCommand({
      StreamName: stage.stream,
      ShardToSplit: widest.shardId,
      NewStartingHashKey: String(middle),
    }),
  );
  await stage.untilActive();
  return undefined;
}

async function mergeNarrowest(stage: Stage, say: (text: string) => void): Promise<undefined> {
  const open = openLeases(await stage.stores.leases.readAll()).toSorted((a, b) => (start(a) < start(b) ? -1 : 1));
  const pairs = open.slice(1).map((right, i) => [open[i], right] as const);
  const [left, right] = pairs.toSorted((a, b) => (pairWidth(a) < pairWidth(b) ? -1 : 1))[0] ?? [];
  if (!left || !right) throw new Error('there are no two open shards to merge');
  say(`merging ${left.shardId} and ${right.shardId}`);
  await stage.kinesis.send(
    new MergeShardsCommand({
      StreamName: stage.stream,
      ShardToMerge: left.shardId,
      AdjacentShardToMerge: right.shardId,
    }),
  );
  await stage.untilActive();
  return undefined;
}

/** Kills until one had counted records above its checkpoint, the hard case; starts a new one each time, as a Deployment does. */
async function killOne(stage: Stage, say: (text: string) => void): Promise<Strike> {
  for (let tries = 0; tries < KILL_TRIES; tries++) {
    const above = await killAndReplace(stage, say);
    if (above.length > 0) {
      return {
        fault: 'kill -9',
        struck: true,
        evidence: `the worker had counted above its checkpoint on ${above.join(', ')}`,
      };
    }
  }
  return { fault: 'kill -9', struck: false, evidence: 'no killed worker had counted above its checkpoint' };
}

async function killAndReplace(stage: Stage, say: (text: string) => void): Promise<string[]> {
  const leases = await stage.stores.leases.readAll();
  const owned = (worker: Member): Lease[] => leases.filter((lease) => isHeldBy(lease, ownerOf(lease, worker)));
  const victim = stage.fleet.workers.toSorted((a, b) => owned(b).length - owned(a).length)[0];
  if (!victim) throw new Error('there is no worker to kill');
  await stage.observer.scrape(victim);
  await stage.fleet.kill(victim);
  say(
    `kill -9 of ${victim.name}, which held ${
      owned(victim)
        .map((lease) => lease.shardId)
        .join(', ') || 'nothing'
    }`,
  );
  const above = await stage.observer.shardsAboveCheckpoint(owned(victim));
  await stage.fleet.scale(stage.fleet.workers.length + 1);
  return above;
}

/** The lease's owner if it is this worker (a worker id begins with the worker's name), else something that no one is. */
function ownerOf(lease: Lease, worker: Member): string {
  return lease.owner?.startsWith(`${worker.name}-`) ? lease.owner : '';
}

function openLeases(leases: readonly Lease[]): Lease[] {
  return leases.filter(
    (lease) => !isFinished(lease) && lease.children.length === 0 && lease.startingHashKey !== undefined,
  );
}

function start(lease: Lease): bigint {
  return BigInt(lease.startingHashKey ?? 0);
}

function width(lease: Lease): bigint {
  return BigInt(lease.endingHashKey ?? HASH_KEYS - 1n) - start(lease) + 1n;
}

function pairWidth([left, right]: readonly [Lease | undefined, Lease]): bigint {
  return (left ? width(left) : HASH_KEYS) + width(right);
}
