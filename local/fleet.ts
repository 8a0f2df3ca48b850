/**
 * A controller and N workers as processes of this machine, against whatever endpoints the environment names. Scaling
 * and killing are what `kubectl scale` and a node's death are in a cluster: the processes know nothing of it.
 */
import { join } from 'node:path';
import type { Clock } from '../runtime/clock.ts';
import { Child } from './child.ts';

const ROOT = join(import.meta.dirname, '..');
const READY_TIMEOUT_MS = 30_000;
const STOP_GRACE_MS = 20_000;

/** A process of the fleet with its HTTP port. */
export interface Member {
  readonly name: string;
  readonly child: Child;
  readonly httpUrl: string;
}

export class LocalFleet {
  readonly #env: Readonly<Record<string, string>>;
  readonly #clock: Clock;
  readonly #onLine: ((line: string) => void) | undefined;
  readonly #controllers: Member[] = [];
  readonly #workers: Member[] = [];
  /** All that was ever started, those that drain or failed to start among them. */
  readonly #children: Child[] = [];
  #started = 0;

  /** @param onLine told of each line that a process prints. */
  constructor(env: Readonly<Record<string, string>>, clock: Clock, onLine?: (line: string) => void) {
    this.#env = env;
    this.#clock = clock;
    this.#onLine = onLine;
  }

  /** Workers that run and were not told to stop, oldest first. */
  get workers(): readonly Member[] {
    return this.#workers;
  }

  get controllers(): readonly Member[] {
    return this.#controllers;
  }

  async startController(): Promise<Member> {
    const member = await this.#start('controller', `controller-${++this.#started}`);
    this.#controllers.push(member);
    return member;
  }

  /** Starts or stops workers until there are `count`. Stopped ones drain first: resolves when they have ended. */
  async scale(count: number): Promise<void> {
    const surplus = this.#workers.splice(count);
    const wanted = Array.from({ length: Math.max(0, count - this.#workers.length) }, () => this.#startWorker());
    const exits = surplus.map((member) => member.child.stop(STOP_GRACE_MS));
    this.#workers.push(...(await Promise.all(wanted)));
    const codes = await Promise.all(exits);
    const bad = codes.findIndex((code) => code !== 0);
    if (bad >= 0)
      throw new Error(
        `${surplus[bad]?.name} did not stop cleanly (${codes[bad]}):\n${surplus[bad]?.child.lines.slice(-15).join('\n')}`,
      );
  }

  /** kill -9, no good-bye. */
  async kill(member: Member): Promise<void> {
    for (const list of [this.#workers, this.#controllers]) {
      if (list.includes(member)) list.splice(list.indexOf(member), 1);
    }
    member.child.kill('SIGKILL');
    await member.child.exited;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((member) => member.child.stop(STOP_GRACE_MS)));
    await Promise.all(this.#controllers.map((member) => member.child.stop(STOP_GRACE_MS)));
  }

  /** Ends everything at once, for a way out that cannot wait. */
  killAll(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  #startWorker(): Promise<Member> {
    return this.#start('worker', `worker-${++this.#started}`);
  }

  async #start(kind: 'controller' | 'worker', name: string): Promise<Member> {
    const child = new Child({
      name,
      command: process.execPath,
      args: [join(ROOT, kind, 'main.ts')],
      // Port 0: one chosen here could be taken by somebody else before the process opens it.
      env: { KUBERNETES: 'off', LOG_LEVEL: 'info', ...this.#env, HTTP_PORT: '0', WORKER_NAME: name },
      clock: this.#clock,
      ...(this.#onLine && { onLine: this.#onLine }),
    });
    this.#children.push(child);
    const port = await child.waitForLine((line) => /"httpPort":(\d+)/.exec(line)?.[1], READY_TIMEOUT_MS);
    return { name, child, httpUrl: `http://127.0.0.1:${port}` };
  }
}
