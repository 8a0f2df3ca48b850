/** Sentinels and Clusters at rest, and what a connection does when its server is not the primary any more. Failovers are in ../redis-faults. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { START } from '../../../lease/position.ts';
import { LedgerUnavailable } from '../../../ledger/ledger.ts';
import { createLedgerConnection } from '../../../ledger/redis/connection.ts';
import { slotKeys } from '../../../ledger/redis/keys.ts';
import { createRedisLedger } from '../../../ledger/redis/redis-ledger.ts';
import { checkServer } from '../../../ledger/redis/server-check.ts';
import { Child } from '../../../local/child.ts';
import { freePort } from '../../../local/free-port.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { silentLogger } from '../../../runtime/logger.ts';
import { keySlot } from '../../../runtime/redis/key-slot.ts';
import { createControllerSignals, createWorkerSignals } from '../../../signal/redis/redis-signals.ts';
import { makeCertificates, textsOf } from '../../support/certificates.ts';
import { advanceRequest, commitRequest, ledgerSpec, markAt, SHARD } from '../../support/ledger-builder.ts';
import { exerciseRedis } from '../../support/redis-exercise.ts';
import { canSpeakTls, hasRedisServer } from '../../support/redis-server.ts';
import { documentedUser } from '../../support/redis-user.ts';
import { until } from '../redis-faults/drilled-fleet.ts';
import { RedisNode } from '../redis-faults/redis-node.ts';

const FLEET = 'my-fleet';
const OPEN = { shard: SHARD, slot: 0, generation: 1, start: START };
const ALL_SLOTS = ['0', '16383'] as const;
const ended: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function startNode(args: readonly string[] = []): Promise<RedisNode> {
  const node = new RedisNode(args);
  ended.push(() => node.stop());
  return node.start();
}

const clusterArgs = async () => ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())];

/** Two primaries without replicas; the first has the slots up to `last`. */
async function pair(last: number): Promise<[RedisNode, RedisNode]> {
  const [a, b] = [new RedisNode(await clusterArgs()), new RedisNode(await clusterArgs())];
  for (const node of [a, b]) await node.start();
  const bus = (await b.ask((client) => client.config('GET', 'cluster-port'))) as string[];
  await a.ask((client) => client.call('CLUSTER', 'MEET', '127.0.0.1', String(b.port), bus[1]!));
  await a.ask((client) => client.call('CLUSTER', 'ADDSLOTSRANGE', '0', String(last)));
  await b.ask((client) => client.call('CLUSTER', 'ADDSLOTSRANGE', String(last + 1), '16383'));
  for (const node of [a, b]) await until('a whole cluster', () => isWhole(node));
  return [a, b];
}

function connect(url: string, deadlineMs = 5_000) {
  const connection = createLedgerConnection({ url, deadlineMs });
  ended.push(() => connection.close());
  return connection;
}

const urlOf = ({ port }: RedisNode, kind = 'redis'): string => `${kind}://127.0.0.1:${port}`;
const isWhole = async (node: RedisNode) =>
  /cluster_state:ok/.test(String(await node.ask((client) => client.call('CLUSTER', 'INFO'))));

describe.runIf(canSpeakTls())('a primary that a Sentinel names', () => {
  it('is found over TLS, with a password for the Sentinel and another for Redis', async () => {
    const node = await startNode();
    const certificates = makeCertificates(node.dir);
    const { ca, cert, key } = certificates;
    const files = [`tls-ca-cert-file ${ca}`, `tls-cert-file ${cert}`, `tls-key-file ${key}`];
    const [tlsPort, sentinelPort] = [await freePort(), await freePort()];
    await node.ask(async (client) => {
      for (const file of files) await client.config('SET', ...(file.split(' ') as [string, string]));
      await client.config('SET', 'tls-port', String(tlsPort));
      await client.call('ACL', ['SETUSER', ...documentedUser('server', FLEET)]);
      await client.call('ACL', ['SETUSER', 'sentinel', 'on', '>watch', 'allcommands', 'allchannels']);
    });
    const conf = join(node.dir, 'sentinel.conf');
    const lines = ['port 0', `tls-port ${sentinelPort}`, 'tls-replication yes', 'bind 127.0.0.1', ...files];
    const monitor = [`sentinel monitor drilled 127.0.0.1 ${tlsPort} 1`, 'sentinel auth-user drilled sentinel'];
    writeFileSync(conf, [...lines, 'requirepass gate', ...monitor, 'sentinel auth-pass drilled watch', ''].join('\n'));
    const sentinel = new Child({
      name: 'sentinel',
      command: 'redis-server',
      args: [conf, '--sentinel'],
      clock: systemClock,
    });
    ended.push(() => sentinel.stop(1_000));
    await sentinel.waitForLine((line) => (/\+monitor/.test(line) ? true : undefined), 10_000);

    const url = `rediss+sentinel://fleet:secret@127.0.0.1:1,127.0.0.1:${sentinelPort}/drilled?sentinel_password=gate`;
    const { totals, facts } = await exerciseRedis({ url, tls: textsOf(certificates) }, FLEET);
    expect(totals).toMatchObject({ f: 24, d: 3 });
    expect(facts).toMatchObject({ role: 'master', evictionPolicy: 'noeviction' });
  });
});

describe.runIf(hasRedisServer())('a primary whose replicas confirm each write', () => {
  it('has answered only what they have: a write without them is sent again, and found applied', async () => {
    const primary = await startNode(['--appendfsync', 'always']);
    const replica = await startNode(['--replicaof', '127.0.0.1', String(primary.port)]);
    await until('a replica', () =>
      primary.ask(async (client) => /connected_slaves:1[\s\S]*state=online/.test(await client.info('replication'))),
    );
    const connection = createLedgerConnection({
      url: `redis://127.0.0.1:${primary.port}`,
      deadlineMs: 2_000,
      confirms: true,
    });
    ended.push(() => connection.close());
    const ledger = createRedisLedger(ledgerSpec(), connection);
    await connection.ready();
    // A disk that syncs slowly makes an answer late; who gets none asks again, as the worker does.
    await until('a shard that is open', async () => (await ledger.open(OPEN)).kind === 'opened');
    const first = commitRequest({ copies: [{ at: 1, id: 1 }] });
    await until('a batch that both have', async () => /^(ok|applied)$/.test((await ledger.commit(first)).kind));

    replica.signal('SIGSTOP');
    const second = commitRequest({ from: first.to, to: markAt(2), layouts: [], copies: [] });
    await expect(ledger.commit(second)).rejects.toMatchObject({
      name: 'LedgerUnavailable',
      message: /0 of 1 replicas/,
    });
    await expect(ledger.commit(second)).rejects.toBeInstanceOf(LedgerUnavailable);
    replica.signal('SIGCONT');

    expect(await ledger.commit(second)).toMatchObject({ kind: 'applied' });
    const row = await replica.ask((client) => client.hget(slotKeys(ledgerSpec().name, 0).rows, SHARD));
    expect(row).toContain(second.to.token);
  });
});

describe.runIf(hasRedisServer())('a Redis Cluster', () => {
  const spec = ledgerSpec({ name: `${FLEET}.0123456789ab`, slots: 2 });
  const slots = [0, 1].map((slot) => keySlot(slotKeys(spec.name, slot).rows));
  let a: RedisNode;
  let b: RedisNode;

  beforeAll(async () => {
    // Each of the ledger's slots has a node of its own.
    [a, b] = await pair(Math.min(...slots));
  });

  afterAll(() => Promise.all([a?.stop(), b?.stop()]));

  it('is used by the user of docs/redis.md, who needs every right that he has; slots are counted each on its node', async () => {
    const rights = documentedUser('cluster', FLEET);
    for (const node of [a, b]) {
      await node.ask((client) => client.call('ACL', ['SETUSER', ...rights]));
      await node.ask((client) => client.config('RESETSTAT'));
    }

    const url = `redis+cluster://fleet:secret@127.0.0.1:1,127.0.0.1:${a.port}`;
    const { totals } = await exerciseRedis({ url }, FLEET, 2);

    expect(totals).toMatchObject({ f: 48, d: 6, x: 2 });
    const stats = await Promise.all([a, b].map((node) => node.ask((client) => client.info('commandstats'))));
    const used = stats.map((text) => new Set([...text.matchAll(/^cmdstat_([^:]+):/gm)].map(([, name]) => name)));
    const granted = rights.filter((right) => right.startsWith('+')).map((right) => right.slice(1));
    // PING keeps a subscription alive, every 10 s.
    expect(granted.filter((name) => name !== 'ping' && !used.some((names) => names.has(name)))).toEqual([]);
    for (const names of used) expect(names).toContain('evalsha');
    for (const node of [a, b]) expect(await node.ask((client) => client.call('ACL', 'LOG'))).toEqual([]);
  });

  it('that moves the hints of a fleet to another node is followed there', async () => {
    const home = keySlot(FLEET);
    expect(home).toBeGreaterThan(Math.min(...slots));
    const options = { url: urlOf(a, 'redis+cluster'), fleet: FLEET, clock: systemClock, logger: silentLogger };
    const [worker, controller] = [createWorkerSignals(options), createControllerSignals(options)];
    ended.push(() => Promise.all([worker.close(), controller.close()]));
    const heard: string[] = [];
    worker.listen('w1', ({ kind }) => heard.push(kind), new AbortController().signal);
    const presence = async () => (await controller.presence(['w1']))?.present.size;
    await expect.poll(presence, { timeout: 20_000 }).toBe(1);
    const before = (await controller.presence(['w1']))!.connection;
    await expect.poll(() => heard, { timeout: 20_000 }).toContain('orders-changed');
    heard.length = 0;

    const heir = String(await a.ask((client) => client.call('CLUSTER', 'MYID')));
    for (const node of [a, b]) {
      await node.ask((client) => client.call('CLUSTER', 'SETSLOT', String(home), 'NODE', heir));
    }

    const connection = async () => (await controller.presence(['w1']))?.connection;
    await expect.poll(connection, { timeout: 20_000 }).toBeGreaterThan(before);
    await expect.poll(presence, { timeout: 20_000 }).toBe(1);
    expect(await a.ask((client) => client.call('PUBSUB', 'SHARDCHANNELS'))).toEqual([`presence/{${FLEET}}/w1`]);
    // A worker that may have missed a hint looks.
    await expect.poll(() => heard, { timeout: 20_000 }).toContain('orders-changed');
  });

  it('of which one primary evicts is refused, whichever it is', async () => {
    await b.ask((client) => client.config('SET', 'maxmemory-policy', 'allkeys-lru'));
    await expect(checkServer(connect(urlOf(a, 'redis+cluster')))).rejects.toThrow(/allkeys-lru/);
  });

  it('is refused with the right words when the URL says that it is a server, and the other way round', async () => {
    const node = await startNode(await clusterArgs());
    await node.ask((client) => client.call('CLUSTER', 'ADDSLOTSRANGE', ...ALL_SLOTS));
    await expect(checkServer(connect(urlOf(node)))).rejects.toThrow(/write its URL as redis\+cluster:/);
    const alone = await startNode();
    await expect(checkServer(connect(urlOf(alone, 'redis+cluster'), 500))).rejects.toThrow(/cluster support disabled/);
  });
});

describe.runIf(hasRedisServer())('a connection to a Redis that is no primary any more', () => {
  it('believes nothing it says, waits, leaves it, and comes back with another number when there is a primary again', async () => {
    const [node, other] = [await startNode(), await startNode()];
    const connection = connect(urlOf(node));
    await connection.ready();
    const ledger = createRedisLedger(ledgerSpec(), connection);
    const request = commitRequest({ copies: [{ at: 1, id: 1 }] });
    await ledger.open(OPEN);
    const before = await ledger.commit(request);
    const admin = new Redis(node.port, '127.0.0.1');
    ended.push(() => admin.disconnect());

    await admin.call('REPLICAOF', '127.0.0.1', String(other.port));
    // It is all there still, but not for long.
    const proof = advanceRequest({ from: request.to, to: request.to });
    const refused = await ledger.advance(0, [proof]).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(LedgerUnavailable);
    expect(connection.isReady()).toBe(false);
    // A replica answers, but is not asked: what it says may be gone.
    await systemClock.sleep(300);
    await expect(ledger.rows(0)).rejects.toMatchObject({ fields: { reason: 'READONLY' } });

    await admin.call('REPLICAOF', 'NO', 'ONE');
    await connection.ready();
    const { connection: after } = await ledger.open(OPEN);
    expect(after).toBeGreaterThan(before.connection);
  });

  it('does not use one that turns up later and may evict', async () => {
    const node = await startNode();
    const connection = connect(urlOf(node));
    await connection.ready();
    await node.kill();
    await node.start(['--maxmemory-policy', 'allkeys-lfu']);
    await expect(connection.ready()).rejects.toThrow(/allkeys-lfu/);
    await expect(createRedisLedger(ledgerSpec(), connection).rows(0)).rejects.toThrow(/allkeys-lfu/);
    await node.ask((client) => client.config('SET', 'maxmemory-policy', 'noeviction'));
    await expect.poll(() => connection.isReady(), { timeout: 20_000 }).toBe(true);
  });
});
