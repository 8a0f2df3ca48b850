/**
 * The outside of one shard consumer, at which its process dies at a chosen point: before a call has any effect, when it
 * has it and nobody was told, or when the answer has just been heard. As after kill -9, nothing that the process does
 * from then on happens, and nobody answers it. Calls are told apart by name: `commit 0` is slot 0's commit.
 */
import { checkpointPosition, END } from '../../../../lease/position.ts';
import type { Ledger } from '../../../../ledger/ledger.ts';
import { silentLogger } from '../../../../runtime/logger.ts';
import { Advancer } from '../../../../worker/ledger/advancer.ts';
import { positionAt } from '../../../../worker/ledger/batch-part.ts';
import { untilAborted, Waiting } from '../../../../worker/ledger/waiting.ts';
import type { DecodedBatch } from '../../../../worker/pipeline/decoded-batch.ts';
import type { UserRecords } from '../../../../worker/pipeline/user-records.ts';
import type { WorkerParts } from '../../../../worker/shard/shard-parts.ts';
import type { DeadLetterSink } from '../../../../worker/sink/dead-letter-sink.ts';
import type { StreamingSink } from '../../../../worker/sink/streaming-sink.ts';
import type { ShardSource } from '../../../../worker/source/shard-source.ts';
import { identify } from '../ledger/identified.ts';
import type { ShardWorld } from './shard-world.ts';

export interface DeathPoint {
  /** A step of the loop, a call of a port, or `<call> <slot>`; `end <slot>` is the advance to the shard's end. */
  readonly call: string;
  readonly side: 'before' | 'applied' | 'answered';
  /** At which call of that name; default: the first. */
  readonly nth?: number;
  /** Calls of this name never arrive. */
  readonly lost?: string;
}

export class DyingPorts {
  isDead = false;
  readonly #world: ShardWorld;
  readonly #sink: StreamingSink;
  readonly #point: DeathPoint | undefined;
  readonly #onApplied: () => void;
  #calls = 0;

  /**
   * @param point undefined = it lives.
   * @param onApplied told after each effect that it has outside.
   */
  constructor(world: ShardWorld, sink: StreamingSink, point?: DeathPoint, onApplied: () => void = () => undefined) {
    this.#world = world;
    this.#sink = sink;
    this.#point = point;
    this.#onApplied = onApplied;
  }

  get parts(): Partial<WorkerParts> {
    const { clock, settleMs, shard, spec, store } = this.#world;
    const ledger = this.#ledger();
    const pass = this.#pass.bind(this);
    return {
      ledger,
      advancer: new Advancer({ ledger, spec, settleMs, clock, logger: silentLogger, waiting: new Waiting(clock) }),
      leases: new Proxy(store, {
        get: (target, name) => {
          const method: unknown = Reflect.get(target, name);
          if (typeof method !== 'function') return method;
          return (...args: unknown[]) => pass(String(name), async () => method.apply(target, args));
        },
      }),
      stages: {
        decode: (records) => this.#step('decode', records as unknown as DecodedBatch),
        identify: (decoded) => this.#step('identify', identify(decoded as unknown as UserRecords, spec.slots)),
      },
      openSource: (_, start) => this.#source(shard.open(checkpointPosition(start))),
      deadLettersFor: () => this.#deadLetters(),
      streamingSinks: [
        {
          deliver: (...args) =>
            untilAborted(
              pass('deliver', () => this.#sink.deliver(...args)),
              args[3],
            ),
        },
      ],
    };
  }

  #strikes(call: string, side: DeathPoint['side']): boolean {
    const point = this.#point;
    if (this.isDead || point?.call !== call || point.side !== side) return this.isDead;
    this.#calls += 1;
    this.isDead = this.#calls === (point.nth ?? 1);
    return this.isDead;
  }

  async #pass<T>(call: string, apply: () => Promise<T>): Promise<T> {
    const hang = (): Promise<T> => new Promise(() => undefined);
    if (this.#strikes(call, 'before') || this.#point?.lost === call) return hang();
    const answer = await apply();
    this.#onApplied();
    if (this.#strikes(call, 'applied')) return hang();
    this.#strikes(call, 'answered');
    return answer;
  }

  /** One that nobody outside sees. */
  #step<T>(call: string, result: T): T {
    this.#strikes(call, 'answered');
    return result;
  }

  /** The reference applies at once: so death right after one slot's effect comes before the other slot's call. */
  #ledger(): Ledger {
    const { ledger } = this.#world;
    const pass = <T>(call: string, apply: () => Promise<T>): Promise<T> =>
      this.#pass(call, () => {
        const answer = apply();
        return this.#strikes(call, 'applied') ? new Promise(() => undefined) : answer;
      });
    return {
      open: (request) => pass(`open ${request.slot}`, () => ledger.open(request)),
      commit: (request) => pass(`commit ${request.slot}`, () => ledger.commit(request)),
      advance: (slot, requests) => {
        const isEnd = requests.some(({ to }) => to.position === END);
        return pass(`${isEnd ? 'end' : 'advance'} ${slot}`, () => ledger.advance(slot, requests));
      },
    };
  }

  #source(source: ShardSource): ShardSource {
    return {
      next: (signal) =>
        untilAborted(
          this.#pass('read', () => source.next(signal)),
          signal,
        ),
      release: (batch) => source.release(batch),
      status: () => source.status(),
      close: () => source.close(),
    };
  }

  #deadLetters(): DeadLetterSink {
    const { clock, deadLetters, state } = this.#world;
    return {
      store: async (_, { batch, through }, signal) => {
        if (batch.rejected.length === 0) return { through, stored: undefined };
        const stored = this.#pass('letters', async () => {
          deadLetters.push(...batch.rejected.map(({ index }) => positionAt(batch.records.positions, index)));
          return state;
        });
        const { connection } = await untilAborted(stored, signal);
        return { through, stored: { connection, answeredAtMs: clock.monotonicMs() } };
      },
    };
  }
}
