/**
 * Two versions of the program in one fleet, as in every upgrade: PREVIOUS_IMAGE is replaced by IMAGE under load, and
 * comes back by a rollback. One image under two names would prove nothing, so without PREVIOUS_IMAGE this fails. What tells versions that cannot work together is the fleet row's schema version.
 */
import { describe, expect, it } from 'vitest';
import { isShort, sharedClusterFleet, timed } from '../support/cluster-case.ts';
import { until } from '../support/cluster-command.ts';
import type { ShardStatus } from '../support/cluster-fleet.ts';
import { type LogLine, logLines, readyPage } from '../support/cluster-pod.ts';

const IMAGE = process.env.IMAGE ?? '';
const PREVIOUS_IMAGE = process.env.PREVIOUS_IMAGE ?? '';
const WORKERS = 3;
const TWO_ROLLOUTS_MS = 800_000;

function imageValues(image: string): string[] {
  const [repository, tag] = image.split(/:(?=[^/]+$)/);
  return ['--set', `image.repository=${repository}`, '--set-string', `image.tag=${tag}`];
}

/** Sets the fleet row's schema version, in the pod that has both DynamoDB and an SDK. */
const SET_SCHEMA = `
import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
const [TableName, version] = process.argv.slice(1);
const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
const client = new DynamoDBClient({ endpoint: 'http://127.0.0.1:8000', region: 'us-east-1', credentials });
await client.send(new UpdateItemCommand({
  TableName,
  Key: { leaseKey: { S: 'fleet' } },
  UpdateExpression: 'SET schemaVersion = :version',
  ConditionExpression: 'attribute_exists(schemaVersion)',
  ExpressionAttributeValues: { ':version': { N: version } },
}));`;

describe.skipIf(isShort)('versions of the program in one fleet on a real cluster', () => {
  const fleet = sharedClusterFleet('versions', {
    shards: 6,
    helmOptions: ['--set', `worker.initialReplicas=${WORKERS}`, ...imageValues(PREVIOUS_IMAGE || IMAGE)],
  });

  /** Shards held by each image, as often as that can be asked while `change` goes on. */
  async function heldDuring(change: Promise<unknown>): Promise<Set<string>[]> {
    let isOver = false;
    const seen: Set<string>[] = [];
    const watch = async () => {
      while (!isOver) {
        const [pods, shards] = await Promise.all([fleet.pods('worker'), fleet.status().catch((): ShardStatus[] => [])]);
        const holders = pods.filter(({ metadata: { name } }) =>
          shards.some(({ owner }) => owner.startsWith(`${name}-`)),
        );
        seen.push(new Set(holders.map(({ spec }) => spec.containers[0]?.image ?? '')));
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    };
    await Promise.all([change.finally(() => (isOver = true)), watch()]);
    return seen;
  }

  async function versions(): Promise<Set<unknown>> {
    const lines = await Promise.all((await fleet.pods('worker')).map((pod) => logLines(fleet, pod)));
    const started = lines.flat().filter(({ message }) => message === 'worker started');
    return new Set(started.map((line: LogLine & { version?: string }) => line.version));
  }

  it('count exactly under load, side by side, in an upgrade and in the rollback of it', {
    timeout: TWO_ROLLOUTS_MS,
  }, async () => {
    expect(PREVIOUS_IMAGE, 'an image of the target `fleet`, built with another VERSION').not.toBe('');
    await fleet.untilBalanced(WORKERS);
    await fleet.startProducer(500);
    const before = await versions();

    const upward = await timed('versions: upgraded', () => heldDuring(fleet.upgrade(...imageValues(IMAGE))));
    await timed('versions: balanced after the upgrade', () => fleet.untilBalanced(WORKERS));
    const after = await versions();
    const rollback = () => fleet.helm('rollback', 'kinesis-fleet', '1', '--wait', '--timeout', '300s');
    const downward = await timed('versions: rolled back', () => heldDuring(rollback()));
    await timed('versions: balanced after the rollback', () => fleet.untilBalanced(WORKERS));
    const back = await versions();
    const truth = await fleet.stopProducer();
    const counts = await fleet.untilCounted(truth);

    expect([before.size, after.size]).toEqual([1, 1]);
    expect(after).not.toEqual(before);
    expect(back).toEqual(before);
    for (const seen of [upward, downward]) {
      expect(Math.max(...seen.map(({ size }) => size)), 'images that held shards at once').toBe(2);
    }
    expect(counts).toEqual(truth);
  });

  it('change nothing in a table of another schema version, say so, and go on when it is theirs again', async () => {
    const exec = ['exec', 'deployment/local-aws', '--container', 'dynamodb', '--', 'node', '--input-type=module'];
    const setSchema = (version: number) =>
      fleet.kubectl([...exec, '--eval', SET_SCHEMA, 'kinesis-fleet', String(version)]);
    const before = await fleet.untilBalanced(WORKERS);

    await setSchema(2);
    const condition = await timed('versions: another schema version noticed', () =>
      until('a leader that says so', 60_000, async () => {
        const leader = await fleet.leader();
        const pod = (await fleet.pods('controller')).find(({ metadata }) => metadata.name === leader);
        const { conditions } = pod ? await readyPage(fleet, pod) : {};
        return (conditions as Record<string, unknown>)?.SchemaDiffers;
      }),
    );
    await fleet.scale(WORKERS + 1);
    await until('a worker more', 60_000, async () => (await fleet.pods('worker')).length > WORKERS || undefined);
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    const meanwhile = await fleet.status();
    await setSchema(1);
    await timed('versions: the schema version is right again', () => fleet.untilBalanced(WORKERS + 1));

    const generations = (shards: readonly ShardStatus[]) => shards.map(({ shard, generation }) => [shard, generation]);
    expect(condition).toEqual({ found: 2, known: 1 });
    expect(generations(meanwhile)).toEqual(generations(before));
  });
});
