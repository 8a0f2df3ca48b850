/**
 * One child process of the local fleet. Its output is kept (the last lines only) so that a death can be explained; it
 * is ended by its own pid, politely first, and at the latest when this process exits.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Clock } from '../runtime/clock.ts';

const KEPT_LINES = 200;
/** Where Node keeps compiled modules, as the image does: a process then starts in half the CPU time. */
const COMPILE_CACHE = join(import.meta.dirname, '../node_modules/.cache/compiled');

const running = new Set<Child>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Signals that would end this process without a word become an exit, which no child outlives. */
export function exitOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
}

export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly clock: Clock;
  /** Told of each line of standard output and standard error. */
  readonly onLine?: (line: string) => void;
}

export class Child {
  readonly name: string;
  readonly lines: string[] = [];
  readonly exited: Promise<number | string>;
  readonly #process: ChildProcess;
  readonly #clock: Clock;
  readonly #onLine: ((line: string) => void) | undefined;
  readonly #waiters = new Set<(line: string) => void>();
  #ended: number | string | undefined;

  constructor(options: ChildOptions) {
    this.name = options.name;
    this.#clock = options.clock;
    this.#onLine = options.onLine;
    this.#process = spawn(options.command, options.args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: options.cwd,
      env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...process.env, ...options.env },
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#take(line));
    }
    running.add(this);
    this.exited = new Promise((resolve) => {
      this.#process.once('error', (error) => resolve(this.#end(error.message)));
      this.#process.once('exit', (code, signal) => resolve(this.#end(signal ?? code ?? 0)));
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Exit code, or the name of the signal that ended it; undefined while it runs. */
  get ended(): number | string | undefined {
    return this.#ended;
  }

  kill(signal: NodeJS.Signals): void {
    if (this.#ended === undefined) this.#process.kill(signal);
  }

  /** The first line that `find` makes something of. Throws with the last output when the child ends or time is up. */
  async waitForLine<T>(find: (line: string) => T | undefined, timeoutMs: number): Promise<T> {
    const seen = this.lines.map(find).find((found) => found !== undefined);
    if (seen !== undefined) return seen;
    let waiter: (line: string) => void = () => undefined;
    const line = new Promise<T>((resolve) => {
      waiter = (text) => {
        const found = find(text);
        if (found !== undefined) resolve(found);
      };
      this.#waiters.add(waiter);
    });
    const late = new AbortController();
    const failed = Promise.race([this.exited, this.#clock.sleep(timeoutMs, late.signal)]).then(() => 'failed' as const);
    try {
      const outcome = await Promise.race([line.then((found) => ({ found })), failed]);
      if (outcome !== 'failed') return outcome.found;
      const state = this.#ended === undefined ? `said nothing of it in ${timeoutMs} ms` : `ended (${this.#ended})`;
      throw new Error(`${this.name} ${state}:\n${this.lines.slice(-15).join('\n')}`);
    } finally {
      late.abort();
      this.#waiters.delete(waiter);
    }
  }

  /** SIGTERM, and SIGKILL when it is still there after `graceMs`. */
  async stop(graceMs: number): Promise<number | string> {
    this.kill('SIGTERM');
    this.kill('SIGCONT');
    const late = new AbortController();
    await Promise.race([this.exited, this.#clock.sleep(graceMs, late.signal)]);
    late.abort();
    this.kill('SIGKILL');
    return this.exited;
  }

  #take(line: string): void {
    this.lines.push(line);
    if (this.lines.length > KEPT_LINES) this.lines.shift();
    this.#onLine?.(line);
    for (const waiter of [...this.#waiters]) waiter(line);
  }

  #end(how: number | string): number | string {
    this.#ended ??= how;
    running.delete(this);
    return this.#ended;
  }
}
