/**
 * The three servers that the contract runs against: ours and kinesalite in this process, kinesis-local as a child.
 * Each is started on free ports with short transitions and limits out of the way. Neighbour: kinesis-suite.ts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { KinesisClient, ListStreamsCommand } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { startLocalKinesis } from '../../../local/kinesis/server.ts';

export type ServerName = 'local' | 'kinesalite' | 'kinesis-local';

export interface RunningServer {
  client: KinesisClient;
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
    stop: () => {
      client.destroy();
      return server.close();
    },
  };
}

async function startKinesalite(): Promise<RunningServer> {
  // It has no types of its own.
  const kinesalite = require('kinesalite') as (options: Record<string, number>) => Server;
  const delays = { createStreamMs: 50, deleteStreamMs: 50, updateStreamMs: 200 };
  const server = kinesalite({ ...delays, shardLimit: 1000 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = clientOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return {
    client,
    async stop() {
      client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function startKinesisMock(): Promise<RunningServer> {
  const [plainPort, tlsPort] = await Promise.all([freePort(), freePort()]);
  const child = spawn(process.execPath, [require.resolve('kinesis-local/main.js')], {
    stdio: 'ignore',
    env: {
      ...process.env,
      KINESIS_MOCK_CERT_PATH: require.resolve('kinesis-local/server.json'),
      KINESIS_MOCK_PLAIN_PORT: String(plainPort),
      KINESIS_MOCK_TLS_PORT: String(tlsPort),
      CREATE_STREAM_DURATION: '50ms',
      DELETE_STREAM_DURATION: '50ms',
      SPLIT_SHARD_DURATION: '200ms',
      MERGE_SHARDS_DURATION: '100ms',
      UPDATE_SHARD_COUNT_DURATION: '100ms',
      SHARD_LIMIT: '1000',
      ON_DEMAND_STREAM_COUNT_LIMIT: '1000',
    },
  });
  const client = clientOf(`http://127.0.0.1:${plainPort}`);
  await untilAnswering(client, child);
  return {
    client,
    async stop() {
      client.destroy();
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function untilAnswering(client: KinesisClient, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 300 && child.exitCode === null; attempt += 1) {
    try {
      await client.send(new ListStreamsCommand({}));
      return;
    } catch {
      await pause(100);
    }
  }
  child.kill('SIGKILL');
  throw new Error('kinesis-local did not start');
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
