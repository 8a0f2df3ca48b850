/**
 * Redis on this machine: `redis-server` when it is on PATH (append-only file, so that a restart loses nothing), else
 * js-redis-server, a stand-in that speaks the same protocol from npm. Always a process of its own, on loopback.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Clock } from '../../runtime/clock.ts';
import { Child } from '../child.ts';
import { freePort } from '../free-port.ts';

const READY_TIMEOUT_MS = 20_000;
const ATTEMPTS = 3;

export type RedisKind = 'redis-server' | 'js-redis-server';

export interface LocalRedis {
  readonly kind: RedisKind;
  readonly url: string;
  readonly port: number;
  readonly child: Child;
}

export interface RedisOptions {
  readonly clock: Clock;
  /** Where redis-server keeps its append-only file. */
  readonly dataDir: string;
  /** Default: redis-server when it is on PATH. */
  readonly kind?: RedisKind;
  /** Default: a free one. */
  readonly port?: number;
  /** How redis-server is called, for instance under a profiler; default: by its name. */
  readonly command?: readonly string[] | undefined;
  /** More arguments for redis-server, for instance `--maxmemory-policy allkeys-lru`. */
  readonly args?: readonly string[];
}

/** A free port may be taken before the server opens it: then another one is tried. */
export async function startRedis(options: RedisOptions): Promise<LocalRedis> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options);
    } catch (error) {
      if (options.port !== undefined || attempt === ATTEMPTS) throw error;
    }
  }
}

async function startOnce(options: RedisOptions): Promise<LocalRedis> {
  const kind = options.kind ?? (isOnPath('redis-server') ? 'redis-server' : 'js-redis-server');
  const port = options.port ?? (await freePort());
  const [command, ...before] = options.command ?? ['redis-server'];
  const child =
    kind === 'redis-server'
      ? new Child({
          ...{ name: 'redis', command: command!, clock: options.clock },
          args: [...before, ...serverArgs(port, options)],
        })
      : new Child({
          name: 'redis',
          command: process.execPath,
          args: [join(import.meta.dirname, 'js-redis-main.ts'), String(port)],
          clock: options.clock,
        });
  await child.waitForLine(
    (line) => (/Ready to accept connections|listening/.test(line) ? true : undefined),
    READY_TIMEOUT_MS,
  );
  return { kind, url: `redis://127.0.0.1:${port}`, port, child };
}

export function isOnPath(command: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}

function serverArgs(port: number, options: RedisOptions): string[] {
  return [
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', options.dataDir, '--save', ''],
    ...['--appendonly', 'yes', '--maxmemory-policy', 'noeviction', ...(options.args ?? [])],
  ];
}
