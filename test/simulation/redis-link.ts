/**
 * One process's connection to Redis, as ledger/redis/connection.ts makes it: numbered, nothing queued or sent again by
 * itself, a deadline that takes the socket with it, and a reconnection after a while. On the way are two streams of
 * bytes: what was written first arrives first, or not at all.
 */
import { LedgerUnavailable } from '../../ledger/ledger.ts';
import type { Network } from './faults.ts';
import type { Schedule } from './schedule.ts';
import type { SimProcess } from './sim-process.ts';
import { shortly, type Trace } from './trace.ts';

export const REDIS_DEADLINE_MS = 800;
const MAX_RECONNECT_MS = 300;
/** A client that nobody tells learns of it by its keep-alive, or by its deadline. */
const NOTICED_WITHIN_MS = 60;

/** One socket's life. */
interface Socket {
  readonly number: number;
  /** The client has given it up. */
  isClosed: boolean;
  /** The server is gone: what has not arrived never will. */
  isServerGone: boolean;
  /** A network in between swallows everything. */
  isMute: boolean;
  arrivesMs: number;
  answersMs: number;
  readonly waiting: Set<(reason: string) => void>;
}

export interface LinkParts {
  readonly schedule: Schedule;
  readonly network: Network;
  readonly trace: Trace;
}

export class RedisLink {
  readonly #parts: LinkParts;
  readonly #process: SimProcess;
  #socket: Socket | undefined;
  #connections = 0;

  constructor(parts: LinkParts, process: SimProcess) {
    this.#parts = parts;
    this.#process = process;
    this.#connect();
  }

  async call<A>(
    what: string,
    shown: () => string,
    apply: () => Promise<A>,
  ): Promise<{ readonly answer: A; readonly connection: number }> {
    const { trace } = this.#parts;
    const socket = this.#socket;
    if (!socket) throw new LedgerUnavailable('not connected', undefined);
    trace.note(this.#process.name, `asks ${what}`, shown);
    this.#process.step();
    return this.#send(socket, what, apply);
  }

  /** The server died: nothing more arrives there. The client will notice. */
  loseServer(): void {
    const socket = this.#socket;
    if (!socket) return;
    socket.isServerGone = true;
    const { network, schedule } = this.#parts;
    const noticedMs = network.latencyMs() * (NOTICED_WITHIN_MS / 4);
    schedule.after(noticedMs, this.#process, () => this.#close(socket, 'server closed'));
  }

  #send<A>(
    socket: Socket,
    what: string,
    apply: () => Promise<A>,
  ): Promise<{ readonly answer: A; readonly connection: number }> {
    const { schedule, network, trace } = this.#parts;
    const process = this.#process;
    return new Promise((resolve, reject) => {
      if (process.isDead) return;
      const fail = (reason: string): void => {
        late.run = undefined;
        socket.waiting.delete(fail);
        reject(new LedgerUnavailable(reason, undefined));
      };
      const late = schedule.after(REDIS_DEADLINE_MS, process, () => this.#close(socket, 'deadline'));
      socket.waiting.add(fail);
      if (network.happens('loseRequest')) socket.isMute = true;
      const isMuteAlready = socket.isMute;
      socket.arrivesMs = Math.max(
        socket.arrivesMs,
        schedule.nowMs + network.latencyMs(network.unkindness.delayRequest),
      );
      if (network.happens('cutConnection')) {
        schedule.after(network.latencyMs(), process, () => this.#close(socket, 'connection reset'));
      }
      if (isMuteAlready) return;
      schedule.at(socket.arrivesMs, undefined, () => {
        if (socket.isServerGone) return;
        trace.note(process.name, `applied ${what}`);
        void apply().then((answer) => {
          process.step();
          if (network.happens('loseAnswer')) socket.isMute = true;
          if (socket.isMute) return;
          const answerMs = network.latencyMs(network.unkindness.delayAnswer);
          socket.answersMs = Math.max(socket.answersMs, schedule.nowMs + answerMs);
          schedule.at(socket.answersMs, process, () => {
            if (!socket.waiting.delete(fail)) return;
            late.run = undefined;
            trace.note(process.name, `hears ${what}`, () => shortly(answer));
            resolve({ answer, connection: socket.number });
            process.step();
          });
        });
      });
    });
  }

  #close(socket: Socket, reason: string): void {
    if (socket.isClosed) return;
    socket.isClosed = true;
    this.#parts.trace.note(this.#process.name, `loses its connection to redis: ${reason}`);
    if (this.#socket === socket) this.#socket = undefined;
    for (const fail of [...socket.waiting]) fail(reason);
    const { network, schedule } = this.#parts;
    schedule.after(network.latencyMs() * (MAX_RECONNECT_MS / 4), this.#process, () => this.#connect());
  }

  #connect(): void {
    this.#connections += 1;
    this.#socket = {
      number: this.#connections,
      isClosed: false,
      isServerGone: false,
      isMute: false,
      arrivesMs: 0,
      answersMs: 0,
      waiting: new Set(),
    };
  }
}
