/**
 * A place for one process of the fleet, and its way to the servers through three fault proxies of its own. Processes
 * come and go in it as pods do: each is a life, with a number. A process that ends without being asked is noted, and
 * replaced, as Kubernetes would. Starts and stops happen one at a time, in the order in which they were asked for.
 */
import { join } from 'node:path';
import { Child } from '../../local/child.ts';
import { CONTAINER_ENV } from '../../local/container.ts';
import type { Clock } from '../../runtime/clock.ts';
import { SERVERS, type ServerName, type SlotName } from './fault.ts';
import { FaultProxy } from './fault-proxy.ts';

const ROOT = join(import.meta.dirname, '../..');
const READY_TIMEOUT_MS = 60_000;
const RESTART_MS = 1_000;

export interface Life {
  /** `worker-2.3`: the third process in that place. */
  readonly name: string;
  readonly kind: 'worker' | 'controller';
  readonly child: Child;
  readonly clockOffsetMs: number;
}

export interface SlotOptions {
  readonly name: SlotName;
  /** Where the servers really are, by the environment variable that tells so. */
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly onLife: (life: Life) => void;
  readonly onLine: (life: string, line: string) => void;
  /** Something that no fault explains. */
  readonly onViolation: (text: string) => void;
}

const VARIABLE: Readonly<Record<ServerName, string>> = {
  kinesis: 'AWS_ENDPOINT_URL_KINESIS',
  dynamodb: 'AWS_ENDPOINT_URL_DYNAMODB',
  redis: 'REDIS_URL',
};

export class Slot {
  readonly name: SlotName;
  readonly kind: 'worker' | 'controller';
  readonly proxies: Readonly<Record<ServerName, FaultProxy>>;
  readonly #options: SlotOptions;
  #lives = 0;
  #life: Life | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #isWanted = false;
  #isAbandoned = false;
  #clockOffsetMs = 0;

  constructor(options: SlotOptions) {
    this.#options = options;
    this.name = options.name;
    this.kind = options.name.startsWith('worker') ? 'worker' : 'controller';
    const proxyTo = (server: ServerName): FaultProxy =>
      new FaultProxy(options.env[VARIABLE[server]] ?? '', options.clock);
    this.proxies = { kinesis: proxyTo('kinesis'), dynamodb: proxyTo('dynamodb'), redis: proxyTo('redis') };
  }

  /** The process that is here now. */
  get life(): Life | undefined {
    return this.#life;
  }

  async open(): Promise<void> {
    await Promise.all(SERVERS.map((server) => this.proxies[server].start()));
  }

  async close(): Promise<void> {
    await Promise.all(SERVERS.map((server) => this.proxies[server].stop()));
  }

  start(clockOffsetMs: number): Promise<void> {
    return this.#inTurn(async () => {
      this.#isWanted = true;
      this.#clockOffsetMs = clockOffsetMs;
      if (!this.#life) await this.#begin();
    });
  }

  /** kill -9. */
  kill(): Promise<void> {
    return this.#inTurn(async () => {
      this.#isWanted = false;
      const { child } = this.#life ?? {};
      child?.kill('SIGKILL');
      await child?.exited;
    });
  }

  /** SIGTERM; a process that is still there after `graceMs` is killed, and that is a violation. Gives the exit code. */
  terminate(graceMs: number): Promise<number | string | undefined> {
    return this.#inTurn(async () => {
      this.#isWanted = false;
      const life = this.#life;
      if (!life) return undefined;
      const code = await life.child.stop(graceMs);
      if (code === 'SIGKILL') this.#options.onViolation(`${life.name} was still there ${graceMs} ms after SIGTERM`);
      else if (code !== 0) this.#options.onViolation(`${life.name} ended with ${code} after SIGTERM`);
      return code;
    });
  }

  /** SIGSTOP, and SIGCONT after `forMs`. */
  freeze(forMs: number): Promise<void> {
    return this.#inTurn(async () => {
      const { child } = this.#life ?? {};
      child?.kill('SIGSTOP');
      await this.#options.clock.sleep(forMs);
      child?.kill('SIGCONT');
    });
  }

  /** At once, in nobody's turn: for a way out that cannot wait. No process begins here any more. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#isWanted = false;
    this.#life?.child.kill('SIGKILL');
  }

  async #begin(): Promise<void> {
    if (this.#isAbandoned) return;
    const { clock, env } = this.#options;
    this.#lives += 1;
    const name = `${this.name}.${this.#lives}`;
    const child = new Child({
      ...{ name, clock, command: process.execPath, args: [join(ROOT, this.kind, 'main.ts')] },
      env: {
        // Garbage that a process keeps because it sees a whole machine's memory is no growth: as in the chart's container.
        ...{ KUBERNETES: 'off', ...env, ...CONTAINER_ENV[this.kind] },
        ...Object.fromEntries(SERVERS.map((server) => [VARIABLE[server], this.proxies[server].url])),
        // The same name each time: only the rest of its id tells a process from its predecessor.
        ...{ HTTP_PORT: '0', WORKER_NAME: this.name, POD_UID: `life${this.#lives}` },
        CLOCK_OFFSET_MS: String(this.#clockOffsetMs),
      },
      onLine: (line) => this.#options.onLine(name, line),
    });
    const life = { name, kind: this.kind, child, clockOffsetMs: this.#clockOffsetMs };
    this.#life = life;
    this.#options.onLife(life);
    void child.exited.then((code) => this.#ended(life, code));
    await child
      .waitForLine((line) => (line.includes('"httpPort":') ? true : undefined), READY_TIMEOUT_MS)
      .catch((error: Error) => this.#options.onViolation(error.message));
  }

  #ended(life: Life, code: number | string): void {
    this.#life = undefined;
    if (!this.#isWanted) return;
    const lines = life.child.lines.slice(-5).join('\n    ');
    this.#options.onViolation(`${life.name} ended by itself (${code}):\n    ${lines}`);
    void this.#inTurn(async () => {
      await this.#options.clock.sleep(RESTART_MS);
      if (this.#isWanted && !this.#life) await this.#begin();
    });
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(act);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}
