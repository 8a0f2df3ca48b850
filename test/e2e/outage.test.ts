/**
 * What a fleet needs is away for a while, and records go on coming: the pods say why they stand still, nobody restarts
 * anything, and the counts are exact. Dynalite takes any credentials, so that wrong ones are tested with Kinesis' answer.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isShort, sharedClusterFleet, timed } from '../support/cluster-case.ts';
import { until } from '../support/cluster-command.ts';
import type { Pod } from '../support/cluster-fleet.ts';
import { Outage } from '../support/cluster-outage.ts';
import { type LogLine, logLines, metricsPage, readyPage } from '../support/cluster-pod.ts';

/** Longer than a lease without a heartbeat. */
const HANG_MS = 15_000;

describe.skipIf(isShort)('a fleet on a real cluster that counts under load', () => {
  const fleet = sharedClusterFleet('outage');
  const outage = new Outage(fleet);
  beforeAll(async () => {
    await fleet.untilBalanced(2);
    await fleet.startProducer(300);
  }, 120_000);
  afterAll(() => outage.remove());

  /** Every worker says on its readiness page that it has no Redis; one that was ready stays so. */
  async function untilWithoutRedis(old: readonly Pod[]): Promise<void> {
    const pages = await until('workers that miss Redis', 30_000, async () => {
      const found = await Promise.all(old.map((pod) => readyPage(fleet, pod)));
      return found.every(({ redis }) => redis === false) ? found : undefined;
    });
    expect(pages.map(({ status }) => status)).toEqual(old.map(() => 200));
  }

  /** One worker more, which cannot start. Gives what it says of Redis in its log. */
  async function beginnerWaits(old: readonly Pod[]): Promise<LogLine[]> {
    await fleet.scale(old.length + 1);
    const names = old.map(({ metadata }) => metadata.name);
    const beginner = await until('a new worker that waits', 60_000, async () => {
      const pod = (await fleet.pods('worker')).find(({ metadata }) => !names.includes(metadata.name));
      const page = pod && (await readyPage(fleet, pod));
      return page?.status === 503 && page.waitingFor === 'redis' ? pod : undefined;
    });
    return (await logLines(fleet, beginner)).filter(({ message }) => message === 'waiting for the redis');
  }

  async function counting(): Promise<boolean> {
    const { records } = await fleet.counts();
    return until('more records counted', 60_000, async () => (await fleet.counts()).records > records || undefined);
  }

  it('waits while Redis refuses connections, and goes on by itself when it is back', async () => {
    const old = await fleet.pods('worker');
    await outage.cutRedis();
    await untilWithoutRedis(old);
    const said = await beginnerWaits(old);
    await outage.restoreRedis();
    await timed('outage: Redis is back, 3 workers balanced and counting', async () => {
      await fleet.untilBalanced(3);
      await counting();
    });
    expect(said).toMatchObject([{ level: 'warn', reason: expect.stringContaining('Redis did not answer') }]);
  });

  it('waits while Redis does not take its password, says so, and goes on by itself when it does', async () => {
    const old = await fleet.pods('worker');
    await outage.changePassword();
    await untilWithoutRedis(old);
    const said = await beginnerWaits(old);
    await outage.restorePassword();
    await timed('outage: the password is right again, 4 workers balanced and counting', async () => {
      await fleet.untilBalanced(4);
      await counting();
    });
    expect(said).toMatchObject([{ level: 'warn', reason: expect.stringContaining('WRONGPASS') }]);
  });

  it('waits while DynamoDB hangs for longer than a lease, as its metrics say, and goes on by itself', async () => {
    const [worker] = await fleet.pods('worker');
    if (!worker) throw new Error('no worker');
    try {
      await outage.hangDynamoDb(true);
      await until('a worker that waits for DynamoDB', 30_000, async () => {
        const lines = (await metricsPage(fleet, worker)).split('\n');
        return lines.some((line) => /^kinesis_fleet_shards_waiting\{for="dynamodb"\} [1-9]/.test(line)) || undefined;
      });
      await new Promise((resolve) => setTimeout(resolve, HANG_MS));
    } finally {
      await outage.hangDynamoDb(false);
    }
    await timed('outage: DynamoDB answers again, 4 workers balanced and counting', async () => {
      await fleet.untilBalanced(4);
      await counting();
    });
  });

  it('waits while Kinesis does not know its credentials, says so, and goes on by itself when it does', async () => {
    const workers = await fleet.pods('worker');
    await outage.refuseReads();
    const conditions = await until('workers that may not read', 30_000, async () => {
      const pages = await Promise.all(workers.map((pod) => readyPage(fleet, pod)));
      const found = pages.map((page) => (Array.isArray(page.conditions) ? page.conditions : []));
      return found.every((list) => list.length === 1) ? found.flat() : undefined;
    });
    await outage.allowReads();
    await timed('outage: Kinesis can be read again', counting);
    const logs = await Promise.all(workers.map((pod) => logLines(fleet, pod)));
    const said = logs.map((lines) => lines.filter(({ message }) => message === 'shard cannot be read'));
    expect(new Set(conditions.map(({ condition }) => condition))).toEqual(new Set(['UnrecognizedClientException']));
    for (const lines of said) {
      expect(lines).toMatchObject([
        { level: 'warn', reason: 'The security token included in the request is invalid.' },
      ]);
    }
  });

  it('has counted every record once in the end, and no container was restarted', async () => {
    const truth = await fleet.stopProducer();
    const counts = await fleet.untilCounted(truth);
    const pods = (await Promise.all([fleet.pods('worker'), fleet.pods('controller')])).flat();
    expect(counts).toEqual(truth);
    expect(pods.map(({ status }) => status.containerStatuses?.[0]?.restartCount)).toEqual(pods.map(() => 0));
  });
});
