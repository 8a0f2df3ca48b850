/**
 * The way of a process to a store that answers each request by itself (DynamoDB, Kinesis): a port is put behind a gate,
 * and every call of it is asked, applied and answered at times of its own. Requests overtake each other, are lost,
 * come twice or long after the caller gave up; so are answers.
 */
import type { Network } from './faults.ts';
import type { Schedule } from './schedule.ts';
import type { SimProcess } from './sim-process.ts';
import { shortly, type Trace } from './trace.ts';

export interface StoreEdge {
  /** For the trace. */
  readonly name: string;
  /** The caller gives up after this long. */
  readonly timeoutMs: number;
  unanswered(method: string): Error;
  throttled(method: string): Error;
}

export class Wire {
  readonly #schedule: Schedule;
  readonly #network: Network;
  readonly #trace: Trace;

  constructor(schedule: Schedule, network: Network, trace: Trace) {
    this.#schedule = schedule;
    this.#network = network;
    this.#trace = trace;
  }

  /** The same port, as this process reaches it. */
  gate<P extends object>(process: SimProcess, edge: StoreEdge, target: P): P {
    const methods = new Map<string | symbol, unknown>();
    return new Proxy(target, {
      get: (_, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        if (!methods.has(name)) {
          methods.set(name, (...args: readonly unknown[]) =>
            this.call(process, edge, String(name), args, () => Reflect.apply(method, target, args)),
          );
        }
        return methods.get(name);
      },
    });
  }

  call<T>(
    process: SimProcess,
    edge: StoreEdge,
    method: string,
    args: readonly unknown[],
    apply: () => Promise<T>,
  ): Promise<T> {
    const schedule = this.#schedule;
    const fate = this.#network.fateOfCall();
    const what = `${edge.name}.${method}`;
    this.#trace.note(process.name, `asks ${what}`, () => shortly(args.filter((arg) => !(arg instanceof AbortSignal))));
    process.step();
    return new Promise<T>((resolve, reject) => {
      if (process.isDead) return;
      if (fate.isThrottled) {
        schedule.after(fate.requestMs, process, () => reject(edge.throttled(method)));
        return;
      }
      const late = schedule.after(edge.timeoutMs, process, () => reject(edge.unanswered(method)));
      const answer = (settle: () => void, shown: () => string): void => {
        if (fate.isAnswerLost) return;
        schedule.after(fate.answerMs, process, () => {
          late.run = undefined;
          this.#trace.note(process.name, `hears ${what}`, shown);
          settle();
          process.step();
        });
      };
      const arrive = (hasCaller: boolean): void => {
        this.#trace.note(process.name, `${hasCaller ? 'applied' : 'applied again'} ${what}`);
        const applied = apply();
        applied.then(
          (result) =>
            hasCaller &&
            answer(
              () => resolve(result),
              () => shortly(result),
            ),
          (error: Error) =>
            hasCaller &&
            answer(
              () => reject(error),
              () => error.message,
            ),
        );
        if (hasCaller) process.step();
      };
      if (!fate.isRequestLost) schedule.after(fate.requestMs, undefined, () => arrive(true));
      const { duplicateAfterMs } = fate;
      if (duplicateAfterMs !== undefined) {
        schedule.after(fate.requestMs + duplicateAfterMs, undefined, () => arrive(false));
      }
    });
  }
}
