/**
 * A Redis Cluster of three primaries with a replica each. The two slots of the drilled ledger lie on different nodes, so
 * that what happens to one does not happen to the other.
 */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../../../local/free-port.ts';
import { keySlot } from '../../../runtime/redis/key-slot.ts';
import { parseSlotMap, primaryOf } from '../../../runtime/redis/slot-map.ts';
import type { RedisFault, Surroundings } from './drill.ts';
import { until } from './drilled-fleet.ts';
import { RedisNode } from './redis-node.ts';

const NODES = 6;
const NODE_TIMEOUT_MS = 1_000;
const OUTAGE_MS = 400;
const MIGRATE_KEYS = 100;
const ORDER_MS = 6_000;
/** Of the drilled ledger's slots. */
const TAGS = ['drill.0123456789ab.0', 'drill.0123456789ab.1'] as const;

async function surround({ others }: Surroundings): Promise<string> {
  for (let i = 0; i < NODES; i++) {
    const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(NODE_TIMEOUT_MS)];
    // The usual one, 10,000 above the port, may be none.
    const node = new RedisNode([...args, '--cluster-port', String(await freePort())]);
    others.push(await node.start());
  }
  const addresses = others.map(({ port }) => `127.0.0.1:${port}`);
  const create = ['--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes'];
  await promisify(execFile)('redis-cli', create);
  for (const node of others) await until('a whole cluster', () => isWhole(node));
  return `redis+cluster://${addresses.slice(0, 4).join(',')}`;
}

async function isWhole(node: RedisNode): Promise<boolean> {
  const info = await node.ask((client) => client.call('CLUSTER', 'INFO'));
  const replication = await node.ask((client) => client.info('replication'));
  return /cluster_state:ok/.test(String(info)) && /role:master|master_link_status:up/.test(replication);
}

/** The node that serves a slot of the ledger, as `witness` sees it. */
async function primaryFor(tag: string, nodes: readonly RedisNode[], witness = nodes.at(-1)!): Promise<RedisNode> {
  const answer = await witness.ask((client) => client.call('CLUSTER', 'SLOTS'));
  const { port } = primaryOf(parseSlotMap(answer, { host: '', port: 0 }), keySlot(tag))!;
  return nodes.find((node) => node.port === port)!;
}

/** Of this primary. */
async function replicaOf(primary: RedisNode, nodes: readonly RedisNode[]): Promise<RedisNode> {
  for (const node of nodes) {
    const info = await node.ask((client) => client.info('replication'));
    if (info.includes(`master_port:${primary.port}\r`)) return node;
  }
  throw new Error(`nobody replicates ${primary.port}`);
}

/** From now on its replica gets nothing more: it cannot log in at it again. */
async function holdReplicaBack(primary: RedisNode, nodes: readonly RedisNode[]): Promise<void> {
  const replica = await replicaOf(primary, nodes);
  await replica.ask((client) => client.config('SET', 'masterauth', 'nobody-knows-it'));
  await primary.ask((client) => client.call('CLIENT', 'KILL', 'TYPE', 'replica'));
}

/** Kills the node of a slot, and waits until another one serves it. */
async function failOver(tag: string, nodes: readonly RedisNode[]): Promise<RedisNode> {
  const old = await primaryFor(tag, nodes);
  const heir = await replicaOf(old, nodes);
  await old.kill();
  await until('an heir', async () => (await primaryFor(tag, nodes, heir)) === heir);
  return old;
}

const killOne: RedisFault = {
  name: 'Cluster failover, kill -9 of one node, which comes back',
  losesSettled: false,
  surround,
  strike: async ({ others }) => {
    const old = await failOver(TAGS[0], others);
    await old.start();
    await until('a deposed primary', async () =>
      (await old.ask((client) => client.info('replication'))).includes('role:slave'),
    );
  },
};

const oneLags: RedisFault = {
  name: 'Cluster failover of one node to a replica that lags',
  losesSettled: true,
  surround,
  mark: async ({ others }) => holdReplicaBack(await primaryFor(TAGS[0], others), others),
  strike: async ({ others }) => {
    await failOver(TAGS[0], others);
  },
};

const bothLag: RedisFault = {
  name: 'Cluster failovers of both nodes to replicas with different tails',
  losesSettled: true,
  surround,
  mark: async ({ others, random }) => {
    await holdReplicaBack(await primaryFor(TAGS[1], others), others);
    await sleep(random.int(OUTAGE_MS));
    await holdReplicaBack(await primaryFor(TAGS[0], others), others);
  },
  strike: async ({ others }) => {
    // One after the other: two of three primaries down at once have no majority left.
    const dead = await failOver(TAGS[0], others);
    const living = others.filter((node) => node !== dead);
    await failOver(TAGS[1], living);
  },
};

/** Redis gives a failover by hand up after 5 s, for example for want of votes; whoever ordered it orders it again. */
async function handOver(heir: RedisNode, nodes: readonly RedisNode[]): Promise<void> {
  let orderedMs = Number.NEGATIVE_INFINITY;
  await until('an heir', async () => {
    if (performance.now() - orderedMs > ORDER_MS) {
      orderedMs = performance.now();
      await heir.ask((client) => client.call('CLUSTER', 'FAILOVER'));
    }
    return (await primaryFor(TAGS[0], nodes, heir)) === heir;
  });
}

const handedOver: RedisFault = {
  name: 'CLUSTER FAILOVER there and back, by hand',
  losesSettled: false,
  surround,
  strike: async ({ others }) => {
    for (let i = 0; i < 2; i++) {
      await handOver(await replicaOf(await primaryFor(TAGS[0], others), others), others);
      await sleep(OUTAGE_MS);
    }
  },
};

const frozen: RedisFault = {
  name: 'Cluster failover, SIGSTOP of one node, which wakes up again',
  losesSettled: false,
  surround,
  strike: async ({ others }) => {
    const old = await primaryFor(TAGS[0], others);
    const heir = await replicaOf(old, others);
    old.signal('SIGSTOP');
    await until('an heir', async () => (await primaryFor(TAGS[0], others, heir)) === heir);
    await sleep(OUTAGE_MS);
    old.signal('SIGCONT');
  },
};

/** As resharding does it: some keys at a time, under load. */
const movedSlot: RedisFault = {
  name: 'a slot of the ledger that moves to another node',
  losesSettled: false,
  surround,
  strike: async ({ others }) => {
    const [from, to] = [await primaryFor(TAGS[0], others), await primaryFor(TAGS[1], others)];
    const slot = String(keySlot(TAGS[0]));
    const [fromId, toId] = await Promise.all(
      [from, to].map(async (node) => String(await node.ask((client) => client.call('CLUSTER', 'MYID')))),
    );
    await to.ask((client) => client.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId!));
    await from.ask((client) => client.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId!));
    await sleep(OUTAGE_MS);
    await from.ask(async (client) => {
      for (;;) {
        const keys = (await client.call('CLUSTER', 'GETKEYSINSLOT', slot, String(MIGRATE_KEYS))) as string[];
        if (keys.length === 0) return;
        await client.call('MIGRATE', ['127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...keys]);
      }
    });
    await sleep(OUTAGE_MS);
    for (const node of [to, from]) await node.ask((client) => client.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId!));
  },
};

export const CLUSTER_FAULTS: readonly RedisFault[] = [killOne, oneLags, bothLag, handedOver, frozen, movedSlot];
