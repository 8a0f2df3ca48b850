/**
 * The three servers that the contract runs against: ours in this process, the others as children. Each is started on
 * free ports with short transitions and limits out of the way. Neighbour: kinesis-suite.ts.
 */
import { createRequire } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';
import { KinesisClient, ListStreamsCommand } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { Child, type ChildOptions } from '../../../local/child.ts';
import { freePort } from '../../../local/free-port.ts';
import { startLocalKinesis } from '../../../local/kinesis/server.ts';
import { systemClock } from '../../../runtime/clock.ts';

export type ServerName = 'local' | 'kinesalite' | 'kinesis-local';

export interface RunningServer {
  readonly client: KinesisClient;
  /** Resolves when its process has ended; never, where it is this one. */
  readonly exited: Promise<unknown>;
  stop(): Promise<void>;
}

const require = createRequire(import.meta.url);

export function startServer(name: ServerName): Promise<RunningServer> {
  const starters = { local: startLocal, kinesalite: startKinesalite, 'kinesis-local': startKinesisMock };
  return starters[name]();
}

/** Every error surfaces at once: no retries; and no HTTP/2, which is the SDK's default for Kinesis. */
export function clientOf(url: string): KinesisClient {
  return new KinesisClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    requestHandler: new NodeHttpHandler({ requestTimeout: 10_000 }),
    maxAttempts: 1,
  });
}

async function startLocal(): Promise<RunningServer> {
  const server = await startLocalKinesis({ enforceLimits: false, transitionMs: 100 });
  const client = clientOf(server.url);
  return {
    client,
    exited: new Promise(() => undefined),
    stop: () => {
      client.destroy();
      return server.close();
    },
  };
}

function startKinesalite(): Promise<RunningServer> {
  const delays = { createStreamMs: 50, deleteStreamMs: 50, updateStreamMs: 200 };
  const options = JSON.stringify({ ...delays, shardLimit: 1000 });
  const listen = `require('kinesalite')(${options}).listen(Number(process.argv[1]), '127.0.0.1')`;
  return startChild('kinesalite', (port) => ({ args: ['-e', listen, String(port)], env: {} }));
}

function startKinesisMock(): Promise<RunningServer> {
  return startChild('kinesis-local', async (port) => ({
    args: [require.resolve('kinesis-local/main.js')],
    env: {
      KINESIS_MOCK_CERT_PATH: require.resolve('kinesis-local/server.json'),
      KINESIS_MOCK_PLAIN_PORT: String(port),
      KINESIS_MOCK_TLS_PORT: String(await freePort()),
      CREATE_STREAM_DURATION: '50ms',
      DELETE_STREAM_DURATION: '50ms',
      SPLIT_SHARD_DURATION: '200ms',
      MERGE_SHARDS_DURATION: '100ms',
      UPDATE_SHARD_COUNT_DURATION: '100ms',
      SHARD_LIMIT: '1000',
      ON_DEMAND_STREAM_COUNT_LIMIT: '1000',
    },
  }));
}

type Command = Pick<ChildOptions, 'args' | 'env'>;

async function startChild(
  name: ServerName,
  commandFor: (port: number) => Promise<Command> | Command,
): Promise<RunningServer> {
  const port = await freePort();
  const command = await commandFor(port);
  const child = new Child({
    name,
    clock: systemClock,
    command: process.execPath,
    cwd: import.meta.dirname,
    ...command,
  });
  const client = clientOf(`http://127.0.0.1:${port}`);
  await untilAnswering(client, child);
  return {
    client,
    exited: child.exited,
    async stop() {
      client.destroy();
      child.kill('SIGKILL');
      await child.exited;
    },
  };
}

async function untilAnswering(client: KinesisClient, child: Child): Promise<void> {
  for (let attempt = 0; attempt < 300 && child.ended === undefined; attempt += 1) {
    try {
      await client.send(new ListStreamsCommand({}));
      return;
    } catch {
      await pause(100);
    }
  }
  child.kill('SIGKILL');
  throw new Error(`${child.name} did not start:\n${child.lines.join('\n')}`);
}
