/** A release whose surroundings come after it, one by one: its pods say what they wait for, once, and go on by themselves. */
import { describe, expect, it } from 'vitest';
import { isShort, timed, withBareFleet } from '../support/cluster-case.ts';
import { until } from '../support/cluster-command.ts';
import type { ClusterFleet } from '../support/cluster-fleet.ts';
import { type LogLine, logLines, readyPage } from '../support/cluster-pod.ts';

/** Waits until every pod of the component says in /readyz that it waits for this. */
function untilWaiting(fleet: ClusterFleet, component: 'worker' | 'controller', what: string): Promise<boolean> {
  return until(`${component}s that wait for the ${what}`, 90_000, async () => {
    const pages = await Promise.all((await fleet.pods(component)).map((pod) => readyPage(fleet, pod)));
    const isSaid = pages.length > 0 && pages.every(({ status, waitingFor }) => status === 503 && waitingFor === what);
    if (!isSaid) throw new Error(JSON.stringify(pages));
    return true;
  });
}

/** What the one worker that there is said that it waits for. */
async function waits(fleet: ClusterFleet): Promise<LogLine[]> {
  const [worker] = await fleet.pods('worker');
  if (!worker) throw new Error('no worker');
  return (await logLines(fleet, worker)).filter(({ message }) => message.startsWith('waiting for'));
}

async function leaderLines(fleet: ClusterFleet): Promise<LogLine[]> {
  const leader = await fleet.leader();
  const pod = (await fleet.pods('controller')).find(({ metadata }) => metadata.name === leader);
  return pod ? logLines(fleet, pod) : [];
}

describe.skipIf(isShort)('a release that is installed before what it needs', () => {
  it('waits for DynamoDB, Redis and the stream, says so in one line each, and then counts exactly', async () => {
    await withBareFleet('bare', async (fleet) => {
      await timed('bare: without DynamoDB', async () => {
        await untilWaiting(fleet, 'controller', 'fleet table');
        await untilWaiting(fleet, 'worker', 'fleet table');
      });
      await fleet.kubectl(['scale', 'deployment/local-aws', '--replicas=1']);
      await timed('bare: DynamoDB is there, Redis is not', async () => {
        await untilWaiting(fleet, 'worker', 'redis');
        await untilWaiting(fleet, 'controller', 'redis');
      });
      await fleet.scaleRedis(1);
      await timed('bare: Redis is there, the stream is not', () => untilWaiting(fleet, 'worker', 'fleet row'));
      const missing = await until('a leader that misses the stream', 30_000, async () => {
        const found = (await leaderLines(fleet)).filter(({ condition }) => condition === 'StreamMissing');
        return found.length > 0 ? found : undefined;
      });
      const said = await waits(fleet);
      await fleet.apply('stream.yaml');
      await timed('bare: the stream is there, 2 workers have its shards', () => fleet.untilBalanced(2));
      await fleet.startProducer(1_000, 5_000);
      const truth = await fleet.untilProduced();
      const counts = await fleet.untilCounted(truth);
      const ended = (await leaderLines(fleet)).filter(({ message }) => message === 'condition ended');
      const restarts = (await Promise.all([fleet.pods('worker'), fleet.pods('controller')])).flat();

      expect(said.map(({ message }) => message)).toEqual([
        'waiting for the fleet table',
        'waiting for the redis',
        'waiting for the fleet row',
      ]);
      for (const { level, reason } of said)
        expect({ level, reason }).toEqual({ level: 'warn', reason: expect.stringMatching(/./) });
      expect(missing).toMatchObject([{ message: 'condition began', level: 'warn', stream: 'logins' }]);
      expect(ended).toContainEqual(expect.objectContaining({ condition: 'StreamMissing' }));
      expect(restarts.map(({ status }) => status.containerStatuses?.[0]?.restartCount)).toEqual([0, 0, 0, 0]);
      expect(counts).toEqual(truth);
    });
  });
});
