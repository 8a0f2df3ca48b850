/** What a worker's pages say of shards that cannot be read, and of a worker that is to stop. */
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpEndpoint } from '../../../runtime/http.ts';
import { serveWorker } from '../../../worker/http-pages.ts';
import { ByteBudget } from '../../../worker/source/byte-budget.ts';
import { rawBatchOf } from '../../support/fake-source.ts';
import { WorkerWorld } from './worker-world.ts';

const clockSkew = { aheadSeconds: 0, condition: {} };
let pages: HttpEndpoint;
afterEach(() => pages.close());

async function readingTwo(): Promise<{ world: WorkerWorld; stopping: AbortController }> {
  const world = new WorkerWorld();
  await world.start();
  for (const shard of [0, 1]) world.putLease(shard, { owner: 'worker-1' });
  await world.order([0, 1].map((shard) => ({ leaseKey: world.key(shard), verb: 'hold' })));
  const stopping = new AbortController();
  const parts = { counts: world.counts, budget: new ByteBudget(1), clockSkew, connection: { isReady: () => true } };
  const status = { waitingFor: undefined, worker: world.worker };
  pages = await serveWorker(0, new Registry(), parts, status, stopping.signal);
  return { world, stopping };
}

async function page(path: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(`http://127.0.0.1:${pages.port}${path}`);
  return { status: answer.status, text: await answer.text() };
}

describe('a shard that may not be read', () => {
  it.each(['KMSAccessDeniedException', 'KMSDisabledException', 'AccessDeniedException', 'StreamRecreated'])(
    'is named with %s by /readyz and by a metric, while the others go on and the worker stays ready and live',
    async (condition) => {
      const { world } = await readingTwo();
      const [refused, other] = world.sources.opened;
      refused!.currentStatus = { ...refused!.currentStatus, condition };
      other!.push(rawBatchOf([{ sequenceNumber: '1', payload: '1' }]));
      await world.clock.advance(1_000);

      const ready = await page('/readyz');
      expect(ready.status).toBe(200);
      expect(ready.text).toContain(JSON.stringify([{ shardId: 'shardId-000000000000', condition }]));
      expect((await page('/livez')).status).toBe(200);
      expect((await page('/metrics')).text).toContain(`kinesis_fleet_shard_conditions{condition="${condition}"} 1`);
      expect(world.counts.records).toBe(1);

      refused!.currentStatus = { ...refused!.currentStatus, condition: undefined };
      expect((await page('/readyz')).text).not.toContain(condition);
      expect((await page('/metrics')).text).not.toContain(condition);
      await world.stop();
    },
  );
});

describe('a worker that is to stop', () => {
  it('is not ready from then on, and stays live', async () => {
    const { world, stopping } = await readingTwo();
    expect((await page('/readyz')).status).toBe(200);

    stopping.abort();

    expect((await page('/readyz')).status).toBe(503);
    expect((await page('/livez')).status).toBe(200);
    await world.stop();
  });
});

describe('a worker without shards', () => {
  it('is ready', async () => {
    const world = new WorkerWorld();
    await world.start();
    const parts = { counts: world.counts, budget: new ByteBudget(1), clockSkew, connection: { isReady: () => true } };
    const status = { waitingFor: undefined, worker: world.worker };
    pages = await serveWorker(0, new Registry(), parts, status, new AbortController().signal);

    expect((await page('/readyz')).status).toBe(200);
    await world.stop();
  });
});
