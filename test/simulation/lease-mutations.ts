/** Bugs of the lease rows' conditions and of those who read and write them. */
import type { Lease } from '../../lease/lease.ts';
import type { LeaseStore, WriteOutcome } from '../../lease/lease-store.ts';
import type { WorkerStore } from '../../lease/worker-store.ts';
import { FakeLeaseStore } from '../support/fake-lease-store.ts';
import { buildLease } from '../support/lease-builder.ts';
import type { Mutation } from './mutation.ts';

/** The table forgets to raise the generation when a handoff ends in this way. */
function generationStays(method: 'release' | 'force'): Mutation {
  return {
    what: `${method} leaves the generation as it is`,
    leaseRows: (rows) => {
      const store = new FakeLeaseStore(rows);
      const end = (row: Lease | undefined, key: string, generation: number, old: string): WriteOutcome => {
        if (!row || row.checkpointOwner !== old || row.generation !== generation) return { won: false, lease: row };
        const { checkpointOwner: _, ...lease } = row;
        rows.set(key, lease);
        return { won: true, lease };
      };
      const mutated: Partial<LeaseStore> = {
        release: async ({ key, generation, workerId }) => end(rows.get(key), key, generation, workerId),
        force: async ({ key, generation }, old) => end(rows.get(key), key, generation, old),
      };
      return Object.assign(store, { [method]: mutated[method] });
    },
  };
}

/** What is wrong with one method of a worker's or controller's lease store; the rest goes through. */
function withMethods(store: LeaseStore, methods: Partial<LeaseStore>): LeaseStore {
  return new Proxy(store, {
    get: (target, name) => Reflect.get(methods, name) ?? Reflect.get(target, name),
  });
}

const startFromOrders: Mutation = {
  what: 'a worker that is ordered to hold a lease starts, though the row names an old owner beside it',
  leaseStore: (store, { has }) =>
    withMethods(store, {
      read: async (key) => {
        const row = await store.read(key);
        if (row?.owner === undefined || row.checkpointOwner === undefined || !has(row.owner)) return row;
        const { checkpointOwner: _, ...held } = row;
        return held;
      },
    }),
};

const staleOrdersTrusted: Mutation = {
  what: 'a worker starts what its orders name, though the row has another owner by now',
  leaseStore: (store, { has, lastId }) => {
    const held = new Set<string>();
    return withMethods(store, {
      read: async (key) => {
        const row = await store.read(key);
        if (row && has(row.owner)) held.add(key);
        const workerId = lastId();
        if (!row || !held.has(key) || workerId === undefined || row.owner === undefined) return row;
        const { checkpointOwner: _, ...rest } = row;
        return { ...rest, owner: workerId };
      },
    });
  },
};

const noCheckpointVersion: Mutation = {
  what: 'the table ignores the version of a checkpoint',
  leaseRows: (rows) => {
    const store = new FakeLeaseStore(rows);
    const { checkpoint } = store;
    return Object.assign(store, {
      checkpoint: (...args: Parameters<LeaseStore['checkpoint']>) => {
        const [{ key }, , version] = args;
        const row = rows.get(key);
        if (row && row.checkpointVersion > version) rows.set(key, { ...row, checkpointVersion: version });
        return checkpoint.apply(store, args);
      },
    });
  },
};

const versionUsedTwice: Mutation = {
  what: 'a worker gives two checkpoints the same version',
  leaseStore: (store) =>
    withMethods(store, {
      checkpoint: (owned, checkpoint, version) => store.checkpoint(owned, checkpoint, version + (version % 2)),
    }),
};

function withoutParents(lease: Lease | undefined): Lease | undefined {
  return lease && { ...lease, parents: [] };
}

const childBeforeParent: Mutation = {
  what: 'the controller gives a child away before its parent is finished',
  controllerLeases: (store) =>
    withMethods(store, {
      readAll: async () => (await store.readAll()).map((lease) => ({ ...lease, parents: [] })),
      read: async (key) => withoutParents(await store.read(key)),
      create: async (lease) => {
        const outcome = await store.create(lease);
        return outcome.won ? { won: true, lease: { ...outcome.lease, parents: [] } } : outcome;
      },
    }),
};

const endBeforeChildren: Mutation = {
  what: 'a shard is finished before the rows of its children are seen to exist',
  leaseStore: (store) =>
    withMethods(store, {
      create: (lease) => Promise.resolve({ won: false, lease: buildLease({ key: lease.key }) }),
    }),
};

const heartbeatRevives: Mutation = {
  what: 'a heartbeat makes its row again when it is gone',
  workerStore: (store) => {
    const { rows, heartbeat } = store;
    return Object.assign(store, {
      heartbeat: (...args: Parameters<WorkerStore['heartbeat']>) => {
        const [id, state, load] = args;
        if (!rows.workers.has(id)) rows.workers.set(id, { id, beats: 1_000, state, load, ordersVersion: 0 });
        return heartbeat.apply(store, args);
      },
    });
  },
};

export const LEASE_MUTATIONS: Readonly<Record<string, Mutation>> = {
  'release-keeps-generation': generationStays('release'),
  'force-keeps-generation': generationStays('force'),
  'start-from-orders': startFromOrders,
  'stale-orders-trusted': staleOrdersTrusted,
  'no-checkpoint-version': noCheckpointVersion,
  'version-used-twice': versionUsedTwice,
  'child-before-parent': childBeforeParent,
  'end-before-children': endBeforeChildren,
  'heartbeat-revives': heartbeatRevives,
};
