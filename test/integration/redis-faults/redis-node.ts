/** One redis-server of a drill: with its files in hand, so that it can come back with an older state than it had. */
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Child } from '../../../local/child.ts';
import { freePort } from '../../../local/free-port.ts';
import { systemClock } from '../../../runtime/clock.ts';

const READY_MS = 20_000;

export class RedisNode {
  readonly dir = mkdtempSync(join(tmpdir(), 'redis-node-'));
  readonly #args: readonly string[];
  #child: Child | undefined;
  #port = 0;

  /** @param args more arguments for redis-server. */
  constructor(args: readonly string[] = []) {
    this.#args = args;
  }

  get port(): number {
    return this.#port;
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  /** @param args beside those of the node. At the same port each time. */
  async start(args: readonly string[] = []): Promise<this> {
    this.#port ||= await freePort();
    const own = ['--port', String(this.#port), '--bind', '127.0.0.1', '--dir', this.dir, '--save', ''];
    const rest = ['--appendonly', 'yes', ...this.#args, ...args];
    // A file that has grown to its limit is an error to be answered, not a reason to die.
    const shell = ['-c', 'trap "" XFSZ; exec redis-server "$@"', 'redis', ...own, ...rest];
    this.#child = new Child({ name: 'redis', command: 'bash', args: shell, clock: systemClock });
    await this.#child.waitForLine((line) => (/Ready to accept connections/.test(line) ? true : undefined), READY_MS);
    return this;
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child!.kill(signal);
  }

  async kill(): Promise<void> {
    this.#child!.kill('SIGCONT');
    this.#child!.kill('SIGKILL');
    await this.#child!.exited;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** A connection of the drill's own, for as long as `use` takes. */
  async ask<T>(use: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(this.#port, '127.0.0.1', { maxRetriesPerRequest: 2 });
    client.on('error', () => undefined);
    try {
      return await use(client);
    } finally {
      client.disconnect();
    }
  }

  /** Bytes of the append-only file: what has been written is what a kill leaves. */
  appendOnlyBytes(): number {
    return statSync(this.#appendOnlyFile()).size;
  }

  cutAppendOnlyFile(bytes: number): void {
    truncateSync(this.#appendOnlyFile(), bytes);
  }

  /** Writes a snapshot and keeps a copy of it. */
  async keepSnapshot(): Promise<void> {
    await this.ask((client) => client.save());
    cpSync(join(this.dir, 'dump.rdb'), join(this.dir, 'kept.rdb'));
  }

  /** What it starts with next is the kept snapshot; append-only no. */
  restoreSnapshot(): void {
    for (const file of ['appendonlydir', 'appendonly.aof'])
      rmSync(join(this.dir, file), { recursive: true, force: true });
    cpSync(join(this.dir, 'kept.rdb'), join(this.dir, 'dump.rdb'));
  }

  #appendOnlyFile(): string {
    const dir = join(this.dir, 'appendonlydir');
    // Before Redis 7.0 it was one file.
    if (!existsSync(dir)) return join(this.dir, 'appendonly.aof');
    const [file] = readdirSync(dir).filter((name) => name.endsWith('.incr.aof'));
    return join(dir, file!);
  }
}
