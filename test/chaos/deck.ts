/**
 * The deck of faults. Each card draws one concrete fault from the seed's randomness and from how the fleet stands by
 * plan; undefined = it cannot be played now. A plan plays the whole shuffled deck before it shuffles again, so that
 * every kind comes. Neighbours: plan.ts lays the faults out in time.
 */
import type { SeededRandom } from '../support/seeded-random.ts';
import type { Fault, ServerName, SlotName } from './fault.ts';
import type { Trouble } from './fault-proxy.ts';

/** How the fleet stands by plan at the moment of the draw. */
export interface Situation {
  readonly random: SeededRandom;
  readonly leaseMs: number;
  readonly leaderLeaseMs: number;
  readonly workers: number;
  readonly maxWorkers: number;
  readonly openShards: number;
  readonly minShards: number;
  readonly maxShards: number;
  /** A process that nothing stops or freezes now; `mortal`: one that may end (the first of each kind never does). */
  readonly pick: (kind: 'worker' | 'controller' | 'any', mortal: boolean) => SlotName | undefined;
  /** Workers that scaling down to `count` would end are all free. */
  readonly canScaleTo: (count: number) => boolean;
}

export interface Card {
  readonly name: string;
  readonly draw: (situation: Situation) => Fault | undefined;
}

/** Those with these names, in the order of `all`. @throws RangeError for names that none has. */
export function named<T extends { readonly name: string }>(all: readonly T[], names: readonly string[]): T[] {
  const unknown = names.filter((name) => !all.some((each) => each.name === name));
  if (unknown.length > 0) throw new RangeError(`no card has this name: ${unknown.join(', ')}`);
  return all.filter(({ name }) => names.includes(name));
}

const TEN_MINUTES_MS = 600_000;

export const DECK: readonly Card[] = [
  { name: 'kill -9 of a worker', draw: (now) => ends(now, 'kill', 'worker') },
  { name: 'kill -9 of a controller', draw: (now) => ends(now, 'kill', 'controller') },
  { name: 'SIGTERM to a worker', draw: (now) => ends(now, 'terminate', 'worker') },
  { name: 'SIGTERM to a controller', draw: (now) => ends(now, 'terminate', 'controller') },
  { name: 'worker frozen for longer than its lease', draw: (now) => freeze(now, 'worker', now.leaseMs, 1.5, 2.5) },
  { name: 'worker frozen for half its lease', draw: (now) => freeze(now, 'worker', now.leaseMs, 0.4, 0.6) },
  {
    name: 'controller frozen for longer than its leadership',
    draw: (now) => freeze(now, 'controller', now.leaderLeaseMs, 1.3, 2),
  },
  { name: 'scale', draw: scale },
  {
    name: 'split',
    draw: (now) => (now.openShards < now.maxShards ? { kind: 'split', at: now.random.next() } : undefined),
  },
  {
    name: 'merge',
    draw: (now) => (now.openShards > now.minShards ? { kind: 'merge', at: now.random.next() } : undefined),
  },
  { name: 'UpdateShardCount', draw: resize },

  { name: 'reads throttled', draw: kinesis('GetRecords', { error: 'ProvisionedThroughputExceededException' }, 0.7) },
  { name: 'reads fail', draw: kinesis('GetRecords', { error: 'InternalFailure', statusCode: 500 }, 0.5) },
  { name: 'reads hang', draw: kinesis('GetRecords', { hang: true }, 0.2) },
  { name: 'reads lose their answer', draw: kinesis('GetRecords', { drop: true, phase: 'after' }, 0.3) },
  {
    name: 'iterators fail',
    draw: kinesis('GetShardIterator', { error: 'ProvisionedThroughputExceededException' }, 0.6),
  },
  { name: 'iterators expire', draw: () => ({ kind: 'expireIterators' }) },
  { name: 'ListShards refused', draw: kinesis('ListShards', { error: 'LimitExceededException' }, 0.8) },
  { name: 'writes refused entry by entry', draw: kinesis('PutRecords', { entryError: 'InternalFailure' }, 0.1) },
  { name: 'Kinesis silent', draw: network('worker', ['kinesis'], everythingHeld, 0.5, 2) },
  { name: 'Kinesis answers cut', draw: network('worker', ['kinesis'], cutAnswers, 0.5, 1.5) },

  { name: 'DynamoDB silent for half a lease', draw: network('any', ['dynamodb'], everythingHeld, 0.45, 0.55) },
  { name: 'DynamoDB silent for two leases', draw: network('any', ['dynamodb'], everythingHeld, 1.9, 2.2) },
  { name: 'DynamoDB answers lost', draw: network('any', ['dynamodb'], answersHeld, 0.5, 1.5) },
  { name: 'DynamoDB answers cut', draw: network('any', ['dynamodb'], cutAnswers, 0.5, 1.5) },
  { name: 'DynamoDB slow for everybody', draw: network('every', ['dynamodb'], delay, 0.5, 1.5) },
  { name: 'DynamoDB server frozen', draw: freezeServer('dynamodb', 0.3, 0.7) },

  { name: 'Redis silent', draw: network('any', ['redis'], everythingHeld, 0.5, 2) },
  { name: 'Redis answers lost', draw: network('worker', ['redis'], answersHeld, 0.3, 1.5) },
  { name: 'Redis answers cut', draw: network('worker', ['redis'], cutAnswers, 0.5, 1.5) },
  { name: 'Redis answers cut for everybody', draw: network('every', ['redis'], cutAnswers, 0.3, 0.8) },
  { name: 'Redis slow', draw: network('every', ['redis'], delay, 0.5, 1.5) },
  { name: 'Redis connections dropped', draw: network('every', ['redis'], () => ({ kind: 'drop' }), 0.1, 0.6) },
  { name: 'Redis server frozen', draw: freezeServer('redis', 0.3, 1.5) },
  { name: 'Redis restarted', draw: ({ random }) => ({ kind: 'restartRedis', downMs: between(random, 100, 1_500) }) },

  { name: 'cut off from everything', draw: network('any', ['kinesis', 'dynamodb', 'redis'], everythingHeld, 1.3, 2.2) },
];

function ends(now: Situation, kind: 'kill' | 'terminate', of: 'worker' | 'controller'): Fault | undefined {
  const slot = now.pick(of, true);
  const downMs = between(now.random, 0, of === 'worker' ? 2_000 : 4_000);
  const clockOffsetMs = drawClockOffsetMs(now.random);
  return slot === undefined ? undefined : { kind, slot, downMs, clockOffsetMs };
}

function freeze(now: Situation, of: 'worker' | 'controller', unitMs: number, from: number, to: number) {
  const slot = now.pick(of, false);
  const forMs = between(now.random, from * unitMs, to * unitMs);
  return slot === undefined ? undefined : ({ kind: 'freeze', slot, forMs } as const);
}

function scale(now: Situation): Fault | undefined {
  const counts = Array.from({ length: now.maxWorkers }, (_, i) => i + 1).filter(
    (count) => count > 1 && count !== now.workers && now.canScaleTo(count),
  );
  if (counts.length === 0) return undefined;
  return { kind: 'scale', workers: now.random.pick(counts), clockOffsetMs: drawClockOffsetMs(now.random) };
}

/** At most double, at least half: Kinesis takes no more. */
function resize(now: Situation): Fault | undefined {
  const counts = Array.from({ length: now.maxShards - now.minShards + 1 }, (_, i) => now.minShards + i).filter(
    (count) => count !== now.openShards && count <= now.openShards * 2 && count * 2 >= now.openShards,
  );
  return counts.length === 0 ? undefined : { kind: 'resize', shards: now.random.pick(counts) };
}

function kinesis(operation: string, effect: Readonly<Record<string, unknown>>, rate: number): Card['draw'] {
  return ({ random, leaseMs }) => {
    return {
      kind: 'kinesisRule',
      rule: { operation, ...effect, rate },
      forMs: between(random, 0.3 * leaseMs, leaseMs),
    };
  };
}

function network(
  of: 'worker' | 'any' | 'every',
  servers: readonly ServerName[],
  trouble: (random: SeededRandom) => Trouble,
  fromLeases: number,
  toLeases: number,
): Card['draw'] {
  return (now) => {
    const slot = of === 'every' ? 'every' : now.pick(of, false);
    const forMs = between(now.random, fromLeases * now.leaseMs, toLeases * now.leaseMs);
    const drawn = trouble(now.random);
    return slot === undefined ? undefined : { kind: 'network', slot, servers, trouble: drawn, forMs };
  };
}

function freezeServer(server: 'dynamodb' | 'redis', fromLeases: number, toLeases: number): Card['draw'] {
  return ({ random, leaseMs }) => {
    return { kind: 'freezeServer', server, forMs: between(random, fromLeases * leaseMs, toLeases * leaseMs) };
  };
}

function everythingHeld(): Trouble {
  return { kind: 'blackHole', of: 'everything' };
}

function answersHeld(): Trouble {
  return { kind: 'blackHole', of: 'answers' };
}

function cutAnswers(random: SeededRandom): Trouble {
  return { kind: 'cutAnswers', every: 2 + random.int(12) };
}

function delay(random: SeededRandom): Trouble {
  return { kind: 'delay', ms: between(random, 20, 250) };
}

/** Ten minutes early, ten minutes late, or right. */
export function drawClockOffsetMs(random: SeededRandom): number {
  return random.pick([-TEN_MINUTES_MS, 0, TEN_MINUTES_MS]);
}

function between(random: SeededRandom, from: number, to: number): number {
  return Math.round(from + random.next() * (to - from));
}
