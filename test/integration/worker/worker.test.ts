/**
 * The worker's core against real servers: local Kinesis, dynalite, Redis. The test itself plays the controller, so that
 * every owner, generation and order is of its choosing.
 */
import { join } from 'node:path';
import { CreateStreamCommand, DescribeStreamSummaryCommand, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureTable } from '../../../lease/dynamodb/ensure-table.ts';
import { createFleetStores, type FleetStores } from '../../../lease/dynamodb/fleet-stores.ts';
import { type Lease, type LeaseKey, leaseKeyOf } from '../../../lease/lease.ts';
import type { FleetRow } from '../../../lease/worker-store.ts';
import { createLedgerConnection, type LedgerConnection } from '../../../ledger/redis/connection.ts';
import { createRedisLedger } from '../../../ledger/redis/redis-ledger.ts';
import { type LocalKinesis, startLocalKinesis } from '../../../local/kinesis/server.ts';
import { fleetCountsOf } from '../../../pipelines/fleet-counts.ts';
import { ledgerSpecOf } from '../../../pipelines/ledger-spec.ts';
import { loadPipeline } from '../../../pipelines/load.ts';
import { systemClock as clock } from '../../../runtime/clock.ts';
import { ClockSkew } from '../../../runtime/clock-skew.ts';
import { silentLogger as logger } from '../../../runtime/logger.ts';
import { noSignals } from '../../../signal/signals.ts';
import { composeWorkerOptions, type Outside } from '../../../worker/compose.ts';
import { readWorkerSettings } from '../../../worker/config.ts';
import { FlowCounts } from '../../../worker/shard/flow-counts.ts';
import { deadLetterKeys } from '../../../worker/sink/redis-dead-letters.ts';
import { ByteBudget } from '../../../worker/source/byte-budget.ts';
import { createKinesisClient } from '../../../worker/source/kinesis-client.ts';
import { Worker } from '../../../worker/worker.ts';
import { type Dynalite, startDynalite, TEST_CREDENTIALS } from '../../support/dynalite.ts';
import { hasRedisServer, type RedisServer, startRedisServer } from '../../support/redis-server.ts';

const MIB = 1024 * 1024;
const pipeline = loadPipeline('logins', join(import.meta.dirname, '../../../pipelines'));

interface Running {
  readonly worker: Worker;
  readonly counts: FlowCounts;
  end(): Promise<void>;
}

let kinesis: LocalKinesis;
let dynalite: Dynalite;
let redis: RedisServer;
let stores: FleetStores;
let fleet: FleetRow;
let connection: LedgerConnection;
let client: ReturnType<typeof createKinesisClient>;
const running: Running[] = [];
let key: LeaseKey;
let ordersVersion = 0;

const settings = readWorkerSettings({
  ...{ STREAM: 'logins', FLEET: 'fleet', WORKER_NAME: 'test', SETTLE_MS: '300', CHECKPOINT_MS: '100' },
  ...{ HEARTBEAT_MS: '100', LEASE_DURATION_MS: '5000', BUFFER_MS: '50', POLL_INTERVAL_MS: '200', SLOTS: '2' },
});
const spec = ledgerSpecOf(pipeline, settings);

beforeAll(async () => {
  [kinesis, dynalite, redis] = await Promise.all([
    startLocalKinesis({ transitionMs: 10 }),
    startDynalite(),
    startRedisServer(),
  ]);
  const local = { region: 'us-east-1', credentials: TEST_CREDENTIALS };
  stores = createFleetStores({ tableName: 'fleet', clock, endpoint: dynalite.endpoint, ...local });
  await ensureTable({ client: stores.client, clock, tableName: 'fleet', create: true, pollMs: 20 });
  connection = createLedgerConnection({ url: redis.url });
  await connection.ready();
  client = createKinesisClient({ endpoint: kinesis.url, ...local });
  await client.send(new CreateStreamCommand({ StreamName: 'logins', ShardCount: 1 }));
  const created = await streamWhenActive();
  key = leaseKeyOf('000000000000', 'logins', created, 'shardId-000000000000');
  fleet = await stores.fleet.createFleet({
    ...{ streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/logins', streamCreationEpochSeconds: created },
    ...{ schemaVersion: 1, hashSeed: '0123456789abcdef0123456789abcdef' },
  });
  await stores.leases.create({ key, checkpoint: { kind: 'TRIM_HORIZON' }, parents: [] });
});

afterAll(async () => {
  await Promise.all(running.map(({ end }) => end()));
  connection.close();
  client.destroy();
  stores.close();
  await Promise.all([kinesis.close(), dynalite.stop(), redis.stop()]);
});

/** Gives the second in which it was created. */
async function streamWhenActive(): Promise<number> {
  let createdMs = 0;
  await until(async () => {
    const answer = await client.send(new DescribeStreamSummaryCommand({ StreamName: 'logins' }));
    createdMs = answer.StreamDescriptionSummary?.StreamCreationTimestamp?.getTime() ?? 0;
    return answer.StreamDescriptionSummary?.StreamStatus === 'ACTIVE';
  });
  return Math.floor(createdMs / 1_000);
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const deadlineMs = clock.monotonicMs() + 15_000;
  while (!(await isTrue())) {
    if (clock.monotonicMs() > deadlineMs) throw new Error('it did not become true in 15 s');
    await clock.sleep(20);
  }
}

/** A worker with a connection of its own, as another process would have. */
async function startWorker(): Promise<Running> {
  const own = createLedgerConnection({ url: redis.url });
  await own.ready();
  const counts = new FlowCounts();
  const budget = new ByteBudget(64 * MIB);
  const outside: Outside = {
    ...{ pipeline, stores, connection: own, kinesis: client, signals: noSignals, budget, counts },
    clockSkew: new ClockSkew(clock, logger),
    close: () => Promise.resolve(),
  };
  const worker = new Worker(await composeWorkerOptions(settings, outside, fleet, clock, logger));
  const stop = new AbortController();
  const work = worker.run(stop.signal);
  const end = async (): Promise<void> => {
    stop.abort(new Error('test over'));
    await work;
    own.close();
  };
  await until(async () => worker.id !== undefined);
  const started = { worker, counts, end };
  running.push(started);
  return started;
}

async function order(worker: Worker, verb: 'hold' | 'drain'): Promise<void> {
  ordersVersion += 1;
  await stores.workers.writeOrders(worker.id!, { version: ordersVersion, orders: [{ leaseKey: key, verb }] });
}

async function lease(): Promise<Lease> {
  return (await stores.leases.read(key))!;
}

async function counts() {
  return fleetCountsOf(pipeline, await createRedisLedger(spec, connection).totals());
}

const login = (player: string, second: number, country?: string): Buffer =>
  Buffer.from(JSON.stringify({ playerId: player, timestamp: new Date(1_790_000_000_000 + second * 1_000), country }));

async function produce(payloads: readonly Uint8Array[]): Promise<void> {
  const Records = payloads.map((Data) => ({ Data, PartitionKey: 'one' }));
  await client.send(new PutRecordsCommand({ StreamName: 'logins', Records }));
}

describe('a worker among real servers', () => {
  it('counts logins exactly, keeps what it cannot read with its reason, and checkpoints behind it', async () => {
    const { worker } = await startWorker();
    await stores.leases.assign({ key, generation: 0 }, worker.id!);
    await order(worker, 'hold');

    await produce([login('a', 1, 'DE'), login('a', 1, 'DE'), login('b', 2), login('a', 3, 'DE')]);
    await produce([
      Buffer.from([0xff, 0xff]),
      Buffer.from('[1]'),
      Buffer.from('{"playerId":"x"}'),
      Buffer.alloc(MIB - 100, 0x7b),
    ]);
    await until(async () => (await counts()).records === 8);

    expect(await counts()).toEqual({
      ...{ records: 8, fresh: 3, duplicate: 1, undecodable: 4 },
      formats: { LoginMessageV1: 1, LoginMessageV2: 2 },
      uniquePlayers: 2,
      uniquePlayersByCountry: { DE: 1 },
    });
    const letters = await connection.client.xrange(deadLetterKeys(spec.name, 'logins')[0], '-', '+');
    expect(letters.map(([, fields]) => fields[fields.indexOf('reason') + 1])).toEqual([
      'malformed_protobuf',
      'not_an_object',
      'missing_timestamp',
      'malformed_json',
    ]);
    await until(async () => (await lease()).checkpoint.kind === 'AFTER');
    expect((await lease()).ledgerId).toBe(spec.name);
  });

  it('hands its shard over within round trips; the next owner replays and doubles nothing', async () => {
    const old = running[0]!;
    const next = await startWorker();
    const { generation } = await lease();
    const before = (await counts()).records;
    await produce(Array.from({ length: 300 }, (_, i) => login(`p${i % 50}`, i % 200)));
    await until(async () => (await counts()).records > before);

    await stores.leases.handoff({ key, generation }, old.worker.id!, next.worker.id!);
    await Promise.all([order(old.worker, 'drain'), order(next.worker, 'hold')]);
    await until(async () => next.worker.shards.some(({ state }) => state === 'Reading'));
    await until(async () => (await counts()).records === before + 300);

    expect((await lease()).generation).toBe(generation + 1);
    expect(old.worker.shards).toEqual([]);
    expect((await counts()).fresh).toBe(3 + 200);
  });

  // The stand-in cannot cut its clients off.
  it.runIf(hasRedisServer())(
    'loses nothing and doubles nothing when an owner dies and Redis loses its connections',
    async () => {
      const dying = running[1]!;
      const heir = await startWorker();
      const before = (await counts()).records;
      await produce(Array.from({ length: 400 }, (_, i) => login(`q${i}`, i)));
      await until(async () => (await counts()).records > before);
      const { generation } = await lease();

      await dying.end();
      await stores.leases.take({ key, generation }, dying.worker.id!, heir.worker.id!);
      await order(heir.worker, 'hold');
      await connection.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await until(async () => heir.counts.replayed > 0 && (await counts()).records === before + 400);

      expect(await counts()).toMatchObject({ fresh: 203 + 400, undecodable: 4 });
    },
  );

  it('frees its lease, checkpointed, when it is told to stop and nobody takes over', async () => {
    const { worker } = running.at(-1)!;

    expect(await worker.drain(4_000)).toBe(true);

    expect((await lease()).owner).toBeUndefined();
    expect(worker.shards).toEqual([]);
  });
});
