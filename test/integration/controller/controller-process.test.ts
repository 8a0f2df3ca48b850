/**
 * The controller as a process, against local Kinesis, dynalite and Redis, with sessions of this process as workers.
 * What matters here is the time that things take, and how the process begins and ends.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateStreamCommand, KinesisClient, SplitShardCommand } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createFleetStores, type FleetStores } from '../../../lease/dynamodb/fleet-stores.ts';
import { isFinished, type Lease } from '../../../lease/lease.ts';
import { WorkerSession } from '../../../lease/worker-session.ts';
import { Child } from '../../../local/child.ts';
import { freePort } from '../../../local/free-port.ts';
import { startRedis } from '../../../local/redis/start.ts';
import { type LocalServers, startServers } from '../../../local/servers.ts';
import { systemClock as clock } from '../../../runtime/clock.ts';
import { silentLogger } from '../../../runtime/logger.ts';
import { createWorkerSignals } from '../../../signal/redis/redis-signals.ts';
import { ROOT } from '../../support/source-tree.ts';

const FLEET = 'controller-test';
const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };
const WAIT = { timeout: 15_000, interval: 5 };

let servers: LocalServers;
let stores: FleetStores;
let kinesis: KinesisClient;
const children: Child[] = [];
const workers: AbortController[] = [];

interface Started {
  readonly child: Child;
  readonly url: string;
}

async function startController(environment: Readonly<Record<string, string>> = {}): Promise<Started> {
  const port = await freePort();
  const settings = { STREAM: 'logins', FLEET, HTTP_PORT: String(port), INITIAL_POSITION: 'TRIM_HORIZON' };
  const child = new Child({
    name: 'controller',
    command: process.execPath,
    args: [`${ROOT}/controller/main.ts`],
    env: { ...servers.env, ...settings, ...environment },
    clock,
  });
  children.push(child);
  return { child, url: `http://127.0.0.1:${port}` };
}

/** Heartbeats, and releases what it is told to drain. Returns how to die without a word. */
function startWorker(id: string): () => void {
  const stop = new AbortController();
  workers.push(stop);
  const options = { url: servers.redisUrl, fleet: FLEET, logger: silentLogger, clock };
  const signals = createWorkerSignals(options);
  const session = new WorkerSession({
    ...{ store: stores.workers, clock, logger: silentLogger, heartbeatMs: 1_000, leaseDurationMs: 10_000 },
    newId: () => id,
    status: () => ({ state: 'active', load: { leases: 0, bytesPerSecond: 0 } }),
    listener: {
      onRegistered: () => signals.toController({ kind: 'worker-changed', workerId: id }),
      onOrders: async ({ orders }) => {
        for (const { leaseKey, verb } of orders) {
          const row = verb === 'drain' ? await stores.leases.read(leaseKey) : undefined;
          if (row?.checkpointOwner !== id) continue;
          await stores.leases.release({ key: leaseKey, workerId: id, generation: row.generation });
          signals.toController({ kind: 'lease-released', leaseKey });
        }
      },
      onSelfFenced: () => undefined,
      onDrainWritten: () => undefined,
      onGone: () => undefined,
    },
  });
  signals.listen(id, () => session.nudge(), stop.signal);
  void session.run(stop.signal);
  return () => {
    stop.abort();
    void signals.close();
  };
}

async function owners(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const lease of (await stores.leases.readAll()).filter((one) => !isFinished(one))) {
    const owner = lease.checkpointOwner === undefined ? (lease.owner ?? 'free') : 'handing';
    counts[owner] = (counts[owner] ?? 0) + 1;
  }
  return counts;
}

async function leaseOf(shardId: string): Promise<Lease> {
  const lease = (await stores.leases.readAll()).find((one) => one.shardId.endsWith(shardId));
  if (!lease) throw new Error(`there is no lease of ${shardId}`);
  return lease;
}

async function get(url: string): Promise<string> {
  return (await fetch(url)).text();
}

beforeAll(async () => {
  servers = await startServers(clock);
  const endpoint = { region: 'us-east-1', credentials: CREDENTIALS };
  stores = createFleetStores({ ...endpoint, tableName: FLEET, clock, endpoint: servers.dynamoDbUrl });
  kinesis = new KinesisClient({ ...endpoint, endpoint: servers.kinesisUrl, requestHandler: new NodeHttpHandler() });
});

afterAll(async () => {
  for (const worker of workers) worker.abort();
  await Promise.all(children.map((child) => child.stop(2_000)));
  kinesis.destroy();
  stores.close();
  await servers.stop();
});

describe('the controller process', () => {
  it('refuses wrong settings with one message that names them all', async () => {
    const { child } = await startController({ STREAM: '', HTTP_PORT: 'eighty', INITIAL_POSITION: 'yesterday' });
    expect(await child.exited).toBe(1);
    const output = child.lines.join('\n');
    for (const variable of ['STREAM', 'HTTP_PORT', 'INITIAL_POSITION']) expect(output).toContain(variable);
    expect(output).toContain('3 setting(s) are wrong');
  });

  it('leads without Redis, but is not ready: it would replace one that has it', async () => {
    const port = await freePort();
    const { child, url } = await startController({ REDIS_URL: `redis://127.0.0.1:${port}`, FLEET: 'without-redis' });
    const page = { ok: false, waitingFor: 'redis', leading: true };
    await vi.waitFor(async () => expect(JSON.parse(await get(`${url}/readyz`))).toMatchObject(page), WAIT);
    await vi.waitFor(() => expect(child.lines.join('\n')).toContain('waiting for the redis'), WAIT);
    const dataDir = mkdtempSync(join(tmpdir(), 'late-redis-'));
    const redis = await startRedis({ clock, port, dataDir });
    try {
      const ready = { ok: true, leading: true };
      await vi.waitFor(async () => expect(JSON.parse(await get(`${url}/readyz`))).toMatchObject(ready), WAIT);
      expect(child.lines.filter((line) => line.includes('waiting for the redis'))).toHaveLength(1);
    } finally {
      await child.stop(5_000);
      await redis.child.stop(2_000);
      rmSync(dataDir, { recursive: true });
    }
  });

  it('leads a fleet from a missing stream to the end of its own life', async () => {
    const first = await startController();
    await vi.waitFor(async () => expect(await get(`${first.url}/readyz`)).toContain('StreamMissing'), WAIT);
    await vi.waitFor(
      async () => expect(JSON.parse(await get(`${first.url}/readyz`))).toMatchObject({ ok: true, leading: true }),
      WAIT,
    );

    await kinesis.send(new CreateStreamCommand({ StreamName: 'logins', ShardCount: 6 }));
    const killW1 = startWorker('w1');
    startWorker('w2');
    await vi.waitFor(async () => expect(await owners()).toEqual({ w1: 3, w2: 3 }), WAIT);

    let startedMs = clock.monotonicMs();
    startWorker('w3');
    await vi.waitFor(async () => expect(await owners()).toEqual({ w1: 2, w2: 2, w3: 2 }), WAIT);
    const scaleMs = clock.monotonicMs() - startedMs;
    await vi.waitFor(async () => expect((await stores.workers.readOrders('w1'))?.orders).toHaveLength(2), WAIT);

    await clock.sleep(500);
    startedMs = clock.monotonicMs();
    killW1();
    await vi.waitFor(async () => expect(await owners()).toEqual({ w2: 3, w3: 3 }), WAIT);
    const failoverMs = clock.monotonicMs() - startedMs;
    process.stdout.write(`a third worker got its leases in ${scaleMs} ms, a dead one lost them in ${failoverMs} ms\n`);
    expect(scaleMs).toBeLessThan(2_000);
    expect(failoverMs).toBeLessThan(2_000);
    expect(await get(`${first.url}/metrics`)).toContain('kinesis_fleet_takeovers_total{reason="presence"} 2');

    const parent = await leaseOf('shardId-000000000000');
    const middle = String(BigInt(parent.startingHashKey ?? 0) + 5n);
    await kinesis.send(
      new SplitShardCommand({ StreamName: 'logins', ShardToSplit: parent.shardId, NewStartingHashKey: middle }),
    );
    const signals = createWorkerSignals({ url: servers.redisUrl, fleet: FLEET, logger: silentLogger, clock });
    await vi.waitFor(async () => {
      signals.toController({ kind: 'shard-ended', leaseKey: parent.key });
      expect((await leaseOf('shardId-000000000006')).owner).toBeUndefined();
    }, WAIT);
    const owned = { key: parent.key, workerId: parent.owner ?? '', generation: parent.generation };
    expect((await stores.leases.shardEnd(owned, parent.checkpointVersion + 1)).won).toBe(true);
    signals.toController({ kind: 'shard-ended', leaseKey: parent.key });
    await vi.waitFor(async () => expect((await leaseOf('shardId-000000000006')).owner).toMatch(/^w/), WAIT);
    await signals.close();

    const second = await startController();
    await vi.waitFor(async () => expect(await get(`${second.url}/readyz`)).toContain('"ok":true'), WAIT);
    expect(await get(`${second.url}/metrics`)).toContain('kinesis_fleet_controller_leading 0');
    startedMs = clock.monotonicMs();
    expect(await first.child.stop(5_000)).toBe(0);
    expect(clock.monotonicMs() - startedMs).toBeLessThan(3_000);
    await vi.waitFor(async () => expect(await get(`${second.url}/metrics`)).toContain('leading 1'), WAIT);
    await vi.waitFor(async () => expect(await get(`${second.url}/metrics`)).toContain('shards{state="held"} 7'), WAIT);
    expect(await second.child.stop(5_000)).toBe(0);
    expect(await stores.leader.readLeader()).toBeUndefined();
  });
});
