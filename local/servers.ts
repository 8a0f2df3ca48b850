/**
 * The outside world of a local fleet: Kinesis, DynamoDB and Redis, each a process of its own on loopback, and the
 * environment by which any program of the fleet (or an SDK) finds them.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../runtime/clock.ts';
import { Child } from './child.ts';
import { type RedisKind, startRedis } from './redis/start.ts';

const READY_TIMEOUT_MS = 20_000;
const STOP_GRACE_MS = 3_000;

export interface LocalServers {
  readonly kinesisUrl: string;
  readonly dynamoDbUrl: string;
  readonly redisUrl: string;
  readonly redisKind: RedisKind;
  /** Environment for the fleet's processes and for SDK clients. */
  readonly env: Readonly<Record<string, string>>;
  readonly children: readonly Child[];
  /** Shuts Redis down and, after `downMs`, starts it again on the same port, from its append-only file. */
  restartRedis(downMs: number): Promise<void>;
  /** Ends the processes and removes their files. */
  stop(): Promise<void>;
}

export async function startServers(clock: Clock, redisKind?: RedisKind): Promise<LocalServers> {
  const dataDir = mkdtempSync(join(tmpdir(), 'kinesis-fleet-'));
  const children: Child[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(children.map((child) => child.stop(STOP_GRACE_MS)));
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    const [kinesisUrl, dynamoDbUrl] = await Promise.all([
      startNode('kinesis', join(import.meta.dirname, 'kinesis/main.ts'), clock, children),
      startNode('dynamodb', join(import.meta.dirname, 'dynamodb/main.ts'), clock, children),
    ]);
    const redis = await startRedis({ clock, dataDir, ...(redisKind && { kind: redisKind }) });
    children.push(redis.child);
    return {
      kinesisUrl,
      dynamoDbUrl,
      redisUrl: redis.url,
      redisKind: redis.kind,
      env: environmentOf(kinesisUrl, dynamoDbUrl, redis.url),
      children,
      async restartRedis(downMs) {
        const old = children.findIndex((child) => child.name === 'redis');
        await children[old]?.stop(STOP_GRACE_MS);
        await clock.sleep(downMs);
        children[old] = (await startRedis({ clock, dataDir, kind: redis.kind, port: redis.port })).child;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function environmentOf(kinesisUrl: string, dynamoDbUrl: string, redisUrl: string): Record<string, string> {
  return {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_SESSION_TOKEN: '',
    AWS_PROFILE: '',
    AWS_ENDPOINT_URL_KINESIS: kinesisUrl,
    AWS_ENDPOINT_URL_DYNAMODB: dynamoDbUrl,
    REDIS_URL: redisUrl,
  };
}

/** Starts a server that prints {"listening": URL}; gives the URL. */
async function startNode(name: string, file: string, clock: Clock, children: Child[]): Promise<string> {
  const child = new Child({ name, command: process.execPath, args: [file], clock });
  children.push(child);
  return child.waitForLine((line) => /"listening":\s*"([^"]+)"/.exec(line)?.[1], READY_TIMEOUT_MS);
}
