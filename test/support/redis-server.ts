/**
 * A Redis of a test's own: redis-server when it is on PATH, else js-redis-server, as a child process on a free port
 * of loopback. It keeps nothing on disk unless `durable`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isOnPath, type LocalRedis, type RedisKind, startRedis } from '../../local/redis/start.ts';
import { systemClock } from '../../runtime/clock.ts';

export interface RedisServer extends LocalRedis {
  /** Ends it, and again at the same port with what it had on disk when `durable`. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface RedisServerOptions {
  readonly kind?: RedisKind;
  /** Keeps an append-only file, so that a restart loses nothing. */
  readonly durable?: boolean;
  /** More arguments for redis-server. */
  readonly args?: readonly string[];
}

const STOP_GRACE_MS = 2_000;

export function hasRedisServer(): boolean {
  return isOnPath('redis-server');
}

/** A server that was built without TLS stumbles over its setting, another one over the next. */
export function canSpeakTls(): boolean {
  if (!hasRedisServer() || !isOnPath('openssl')) return false;
  const { stdout, stderr } = spawnSync('redis-server', ['--tls-session-caching', 'no', '--no-such-setting', 'x']);
  return /no-such-setting/.test(`${stdout}${stderr}`);
}

export async function startRedisServer({ kind, durable, args = [] }: RedisServerOptions = {}): Promise<RedisServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'redis-server-'));
  const options = {
    clock: systemClock,
    dataDir,
    ...(kind ? { kind } : {}),
    args: ['--appendonly', durable ? 'yes' : 'no', ...args],
  };
  let running = await startRedis(options);
  process.stdout.write(`this test's Redis is ${running.kind} on port ${running.port}\n`);
  return {
    kind: running.kind,
    url: running.url,
    port: running.port,
    get child() {
      return running.child;
    },
    async restart() {
      await running.child.stop(STOP_GRACE_MS);
      running = await startRedis({ ...options, port: running.port });
    },
    async stop() {
      await running.child.stop(STOP_GRACE_MS);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
