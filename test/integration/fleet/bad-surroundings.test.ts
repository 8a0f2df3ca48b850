/** Settings that are wrong, a Redis that would forget, a stream that is not there, a table that throttles. */
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateStreamCommand, DeleteStreamCommand } from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Child } from '../../../local/child.ts';
import { LocalFleet } from '../../../local/fleet.ts';
import { isOnPath, startRedis } from '../../../local/redis/start.ts';
import { scrape, sum } from '../../../local/scrape.ts';
import type { Stage } from '../../../local/stage.ts';
import { systemClock as clock } from '../../../runtime/clock.ts';
import { FaultyDynamoDb } from '../../support/faulty-dynamodb.ts';
import { produceFor, startLiveFleet, until, untilAllHeld } from '../../support/live-fleet.ts';
import { ROOT } from '../../support/source-tree.ts';

type Kind = 'worker' | 'controller';

/** Runs a process of the fleet to its end: exit code and all it said. */
async function run(kind: Kind, env: Record<string, string>): Promise<{ code: number | string; said: string }> {
  const child = new Child({ name: kind, command: process.execPath, args: [join(ROOT, kind, 'main.ts')], env, clock });
  const code = await Promise.race([child.exited, clock.sleep(15_000).then(() => 'still running')]);
  child.kill('SIGKILL');
  return { code, said: child.lines.join('\n') };
}

describe.each(['worker', 'controller'] as const)('a %s that is started wrongly', (kind) => {
  it('names three wrong settings in one message, shows no password, and exits 1', async () => {
    const wrong = { STREAM: 'not a stream!', HTTP_PORT: '99999', REDIS_URL: 'http://user:geheim@redis' };
    const { code, said } = await run(kind, wrong);
    expect(code).toBe(1);
    for (const variable of Object.keys(wrong)) expect(said).toContain(variable);
    expect(said).not.toContain('geheim');
  });

  it('names the port that is in use, and exits 1', async () => {
    const taken = createServer().listen(0, '0.0.0.0');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as AddressInfo;
    try {
      const { code, said } = await run(kind, { STREAM: 'logins', AWS_REGION: 'us-east-1', HTTP_PORT: String(port) });
      expect(code).toBe(1);
      expect(said).toContain(`HTTP_PORT ${port} is in use`);
    } finally {
      taken.close();
    }
  });
});

describe('surroundings that are wrong', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startLiveFleet({ workers: 1, shards: 2 });
    await untilAllHeld(stage);
  });
  afterAll(async () => {
    await stage.abort();
  });

  it.runIf(isOnPath('redis-server'))('make a worker refuse a Redis that evicts, and say how to mend it', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'kinesis-fleet-evicting-'));
    const redis = await startRedis({ clock, dataDir, args: ['--maxmemory-policy', 'allkeys-lru'] });
    try {
      const { code, said } = await run('worker', { ...stage.env, REDIS_URL: redis.url, HTTP_PORT: '0' });
      expect(code).toBe(1);
      expect(said).toContain('allkeys-lru');
      expect(said).toContain('CONFIG SET maxmemory-policy noeviction');
    } finally {
      await redis.child.stop(2_000);
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  it('make a fleet wait for a missing stream, say so in /readyz, and begin when it is there', async () => {
    // Prepare
    const stream = 'later';
    const fleet = new LocalFleet({ ...stage.env, STREAM: stream, FLEET: 'later-fleet' }, clock);
    try {
      // Act
      await Promise.all([fleet.startController(), fleet.scale(1)]);
      const waits = await until(async () => /stream/i.test(await readyz(fleet)), 30_000);
      await stage.kinesis.send(new CreateStreamCommand({ StreamName: stream, ShardCount: 1 }));
      const begins = await until(
        async () => sum((await scrape(fleet.workers[0]!.httpUrl)) ?? [], 'kinesis_fleet_leases_held') === 1,
        60_000,
      );

      // Assess
      expect([waits, begins]).toEqual([true, true]);
    } finally {
      fleet.killAll();
      await stage.kinesis.send(new DeleteStreamCommand({ StreamName: stream }));
    }
  });

  it('make a worker whose table throttles for half a lease back off, keep its leases, and count exactly', async () => {
    // Prepare: a second fleet table and a worker behind a proxy that can refuse
    const proxy = new FaultyDynamoDb(stage.servers.dynamoDbUrl);
    await proxy.start();
    await stage.fleet.kill(stage.fleet.workers[0]!);
    const fleet = new LocalFleet({ ...stage.env, AWS_ENDPOINT_URL_DYNAMODB: proxy.endpoint }, clock);
    try {
      await fleet.scale(1);
      await until(
        async () => sum((await scrape(fleet.workers[0]!.httpUrl)) ?? [], 'kinesis_fleet_leases_held') === 2,
        30_000,
      );
      const production = produceFor(stage, 10, 500, 9);
      await clock.sleep(2_000);

      // Act
      const before = proxy.operations.length;
      proxy.refuse('ProvisionedThroughputExceededException', 400, 10_000);
      await clock.sleep(5_000);
      const asked = proxy.operations.length - before;
      proxy.faults.length = 0;
      const truth = await production;
      const counted = await stage.untilCounted(truth.records, 30_000);

      // Assess
      const samples = (await scrape(fleet.workers[0]!.httpUrl)) ?? [];
      expect(counted).toEqual(truth);
      expect(sum(samples, 'kinesis_fleet_leases_lost_total')).toBe(0);
      expect(asked).toBeLessThan(150);
    } finally {
      fleet.killAll();
      await proxy.stop();
    }
  });
});

async function readyz(fleet: LocalFleet): Promise<string> {
  const pages = [...fleet.controllers, ...fleet.workers].map(({ httpUrl }) =>
    fetch(`${httpUrl}/readyz`).then((answer) => answer.text()),
  );
  return (await Promise.all(pages)).join('\n');
}
