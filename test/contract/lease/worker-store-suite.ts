/**
 * What every WorkerStore, FleetStore and LeaderStore does. `open` gives a store of a process of its own over the rows
 * of one fleet that no other test uses.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import type { FleetStore, LeaderStore, Order, WorkerStore } from '../../../lease/worker-store.ts';

export interface FleetPorts {
  readonly workers: WorkerStore;
  readonly fleet: FleetStore & LeaderStore;
}

const LOAD = { leases: 3, bytesPerSecond: 1_000 };
const FLEET = { streamArn: 'arn:s', streamCreationEpochSeconds: 7, schemaVersion: 1, hashSeed: 'ab'.repeat(16) };

/** @param newFleet makes an empty fleet, and returns what connects a new process to it. */
export function workerStoreContract(newFleet: () => Promise<() => FleetPorts>): void {
  let connect: () => FleetPorts;
  let workers: WorkerStore;
  let fleet: FleetStore & LeaderStore;
  beforeEach(async () => {
    connect = await newFleet();
    ({ workers, fleet } = connect());
  });

  describe('a worker row', () => {
    it('is new, without beats, after registering, and its id is in the fleet row', async () => {
      await fleet.createFleet(FLEET);

      expect(await workers.register('w1')).toBe(true);

      const load = { leases: 0, bytesPerSecond: 0 };
      expect(await workers.readWorkers(['w1'])).toEqual([
        { id: 'w1', beats: 0, state: 'starting', load, ordersVersion: 0 },
      ]);
      expect((await fleet.readFleet())?.workers).toEqual(['w1']);
    });

    it('is not registered twice by two processes', async () => {
      await workers.register('w1');
      await workers.heartbeat('w1', 'active', LOAD);

      expect(await connect().workers.register('w1')).toBe(false);

      expect(await workers.readWorkers(['w1'])).toMatchObject([{ beats: 1, state: 'active' }]);
    });

    it('is registered when its process repeats a registration whose answer was lost', async () => {
      await workers.register('w1');

      expect(await workers.register('w1')).toBe(true);
    });

    it('counts a beat with each heartbeat and keeps state and load', async () => {
      await workers.register('w1');

      expect(await workers.heartbeat('w1', 'active', LOAD)).toEqual({ beats: 1, ordersVersion: 0 });
      expect(await workers.heartbeat('w1', 'draining', LOAD)).toEqual({ beats: 2, ordersVersion: 0 });

      expect(await workers.readWorkers(['w1'])).toMatchObject([{ beats: 2, state: 'draining', load: LOAD }]);
    });

    it('tells the busiest shards, the zone and the capacity that its last heartbeat told, and no others', async () => {
      await workers.register('w1');
      const place = { zone: 'a', capacity: 50 };
      const busiest = new Map([
        ['shardId-000000000007', 2_000_000],
        ['shardId-000000000001', 5],
      ]);

      await workers.heartbeat('w1', 'active', { ...LOAD, ...place, busiest, othersBytesPerSecond: 3 });
      const [full] = await workers.readWorkers(['w1']);
      await workers.heartbeat('w1', 'active', { ...LOAD, ...place, othersBytesPerSecond: undefined });
      const [bare] = await workers.readWorkers(['w1']);

      expect(full?.load).toEqual({ ...LOAD, ...place, busiest, othersBytesPerSecond: 3 });
      expect(bare?.load).toEqual({ ...LOAD, ...place });
    });

    it('is not created by a heartbeat that finds none', async () => {
      expect(await workers.heartbeat('nobody', 'active', LOAD)).toBe('gone');

      expect(await workers.readWorkers(['nobody'])).toEqual([]);
    });

    it('is gone with its orders and its id once removed, and removing again does nothing', async () => {
      await fleet.createFleet(FLEET);
      await workers.register('w1');
      await workers.register('w2');
      await workers.writeOrders('w1', { version: 1, orders: [] });

      await workers.remove('w1');
      await workers.remove('w1');

      expect(await workers.heartbeat('w1', 'active', LOAD)).toBe('gone');
      expect(await workers.readOrders('w1')).toBeUndefined();
      expect((await fleet.readFleet())?.workers).toEqual(['w2']);
    });

    it('is found among more than a hundred, absent ones left out', async () => {
      const ids = Array.from({ length: 130 }, (_, i) => `w${i}`);
      await Promise.all(ids.filter((_, i) => i !== 64).map((id) => workers.register(id)));

      const found = await workers.readWorkers([...ids, 'w0']);

      expect(new Set(found.map((row) => row.id))).toEqual(new Set(ids.filter((_, i) => i !== 64)));
      expect(found).toHaveLength(129);
      expect(await workers.readWorkers([])).toEqual([]);
    });
  });

  describe('orders', () => {
    it('reach the worker by the version in its next heartbeat, a thousand of them whole', async () => {
      await workers.register('w1');
      const orders = Array.from({ length: 1_000 }, (_, i): Order => {
        return { leaseKey: `123456789012:my stream:1790000000:shardId-${i}`, verb: i % 2 === 0 ? 'hold' : 'drain' };
      });

      expect(await workers.writeOrders('w1', { version: 4, orders })).toBe(true);

      expect(await workers.heartbeat('w1', 'active', LOAD)).toEqual({ beats: 1, ordersVersion: 4 });
      expect(await workers.readOrders('w1')).toEqual({ version: 4, orders });
    });

    it('are replaced by orders of the same or a newer version, never by older ones', async () => {
      await workers.register('w1');
      const hold = (leaseKey: string): Order[] => [{ leaseKey, verb: 'hold' }];
      await workers.writeOrders('w1', { version: 4, orders: hold('a') });
      await workers.writeOrders('w1', { version: 4, orders: hold('b') });
      await workers.writeOrders('w1', { version: 5, orders: hold('c') });

      expect(await workers.writeOrders('w1', { version: 4, orders: hold('late') })).toBe(true);

      expect(await workers.readOrders('w1')).toEqual({ version: 5, orders: hold('c') });
      expect(await workers.readWorkers(['w1'])).toMatchObject([{ ordersVersion: 5 }]);
    });

    it('are refused for a worker that is gone, and leave nothing behind', async () => {
      expect(await workers.writeOrders('nobody', { version: 1, orders: [] })).toBe(false);

      expect(await workers.readOrders('nobody')).toBeUndefined();
      expect(await workers.readWorkers(['nobody'])).toEqual([]);
    });

    it('are absent for a worker that never got any', async () => {
      await workers.register('w1');

      expect(await workers.readOrders('w1')).toBeUndefined();
    });
  });

  describe('the fleet row', () => {
    it('is absent until it is created, even when workers have registered', async () => {
      await workers.register('early');
      expect(await fleet.readFleet()).toBeUndefined();

      expect(await fleet.createFleet(FLEET)).toEqual({ ...FLEET, workers: ['early'] });

      expect(await fleet.readFleet()).toEqual({ ...FLEET, workers: ['early'] });
    });

    it('stays as the first creator made it', async () => {
      await fleet.createFleet(FLEET);

      const found = await connect().fleet.createFleet({ ...FLEET, streamArn: 'arn:other', hashSeed: 'cd'.repeat(16) });

      expect(found).toEqual({ ...FLEET, workers: [] });
    });
  });

  describe('a stream that was created anew', () => {
    it('is adopted once, by whoever saw the fleet row as it is, and the old one is remembered', async () => {
      await fleet.createFleet(FLEET);
      const seen = FLEET.streamCreationEpochSeconds;

      const adopted = await fleet.adoptStream(seen, seen + 60);
      const late = await fleet.adoptStream(seen, seen + 90);

      expect(adopted).toEqual({
        ...FLEET,
        workers: [],
        streamCreationEpochSeconds: seen + 60,
        previousCreationEpochSeconds: seen,
      });
      expect(late).toEqual(adopted);
      expect(await connect().fleet.readFleet()).toEqual(adopted);
    });

    it('is adopted by nobody where there is no fleet row', async () => {
      expect(await fleet.adoptStream(1, 2)).toBeUndefined();
      expect(await fleet.readFleet()).toBeUndefined();
    });
  });

  describe('the Deployment that was given its initial replicas', () => {
    it('is remembered in a fleet row that exists, the latest one alone', async () => {
      await fleet.createFleet(FLEET);
      await workers.register('w1');

      expect(await fleet.rememberScaled('uid-1')).toBe(true);
      expect(await fleet.rememberScaled('uid-2')).toBe(true);

      expect(await connect().fleet.readFleet()).toEqual({ ...FLEET, workers: ['w1'], scaledDeploymentUid: 'uid-2' });
    });

    it('is not remembered where there is no fleet row yet', async () => {
      await workers.register('early');

      expect(await fleet.rememberScaled('uid-1')).toBe(false);

      expect(await fleet.createFleet(FLEET)).toEqual({ ...FLEET, workers: ['early'] });
    });
  });

  describe('generations of the ledger job', () => {
    it('rise with each one given, by as much as is asked, beside the fleet row as it is', async () => {
      await fleet.createFleet(FLEET);

      expect(await fleet.raiseLedgerJob(1)).toBe(1);
      expect(await connect().fleet.raiseLedgerJob(7)).toBe(8);
      expect(await fleet.raiseLedgerJob(1)).toBe(9);

      expect(await fleet.readFleet()).toEqual({ ...FLEET, workers: [] });
    });

    it('are given to nobody where there is no fleet row', async () => {
      await workers.register('early');

      expect(await fleet.raiseLedgerJob(1)).toBeUndefined();
      expect(await fleet.readFleet()).toBeUndefined();
    });
  });

  describe('the leader row', () => {
    it('is claimed when absent, and then only by whoever saw it as it is', async () => {
      expect(await fleet.readLeader()).toBeUndefined();
      const first = await fleet.claimLeader('a', undefined);
      expect(first).toEqual({ holder: 'a', beats: 1 });

      expect(await fleet.claimLeader('b', undefined)).toBeUndefined();
      expect(await fleet.claimLeader('a', first)).toEqual({ holder: 'a', beats: 2 });
      expect(await fleet.claimLeader('b', first)).toBeUndefined();
      expect(await fleet.claimLeader('b', { holder: 'a', beats: 2 })).toEqual({ holder: 'b', beats: 3 });

      expect(await fleet.readLeader()).toEqual({ holder: 'b', beats: 3 });
    });

    it('is won again by a claim repeated after its answer was lost', async () => {
      await fleet.claimLeader('a', undefined);
      await fleet.claimLeader('a', { holder: 'a', beats: 1 });

      expect(await fleet.claimLeader('a', { holder: 'a', beats: 1 })).toEqual({ holder: 'a', beats: 2 });
    });

    it('is removed by its holder only', async () => {
      await fleet.claimLeader('a', undefined);

      await fleet.resignLeader('b');
      expect(await fleet.readLeader()).toEqual({ holder: 'a', beats: 1 });
      await fleet.resignLeader('a');
      await fleet.resignLeader('a');

      expect(await fleet.readLeader()).toBeUndefined();
    });

    it('has one winner among many claims at once', async () => {
      const claims = Array.from({ length: 10 }, (_, i) => fleet.claimLeader(`c${i}`, undefined));

      const won = (await Promise.all(claims)).filter((row) => row !== undefined);

      expect(won).toHaveLength(1);
      expect(await fleet.readLeader()).toEqual(won[0]);
    });
  });
}
