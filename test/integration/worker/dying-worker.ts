/**
 * A worker process with the product's own parts that kills itself, by kill -9, at one point of a record's path: before
 * a call of a port leaves it, or when the call has its effect and nobody was told. DIE_AT names the point; without it
 * the process lives. Its sink appends the identity of each fresh record to the file DELIVERED.
 */
import { appendFileSync } from 'node:fs';
import { END } from '../../../lease/position.ts';
import type { AdvanceRequest, CommitRequest, OpenRequest } from '../../../ledger/ledger.ts';
import { systemClock as clock } from '../../../runtime/clock.ts';
import { Lifecycle } from '../../../runtime/lifecycle.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { composeOutside, composeWorkerOptions } from '../../../worker/compose.ts';
import { readWorkerSettings } from '../../../worker/config.ts';
import { Advancer } from '../../../worker/ledger/advancer.ts';
import { FRESH } from '../../../worker/ledger/judged.ts';
import { Waiting } from '../../../worker/ledger/waiting.ts';
import type { WorkerParts } from '../../../worker/shard/shard-parts.ts';
import { runUntilDrained } from '../../../worker/shutdown.ts';
import type { ReadBatch } from '../../../worker/sink/dead-letter-sink.ts';
import type { StreamingSink } from '../../../worker/sink/streaming-sink.ts';
import { untilFleet, untilRedis, untilTable } from '../../../worker/startup.ts';
import { Worker } from '../../../worker/worker.ts';

/** Where the process kills itself. */
export interface DeathPoint {
  /** A step of the loop, a call of a port, or `<call> <slot>`; `end <slot>` is the advance to a shard's end. */
  readonly call: string;
  /** before: the call has not left the process. after: it had its effect, and nobody in the process was told. */
  readonly side: 'before' | 'after';
  /** At which call of that name; default: the first. */
  readonly nth?: number;
}

const point = process.env.DIE_AT === undefined ? undefined : (JSON.parse(process.env.DIE_AT) as DeathPoint);
let calls = 0;

function passes(call: string | undefined, side: DeathPoint['side']): void {
  if (point === undefined || call !== point.call || side !== point.side || ++calls < (point.nth ?? 1)) return;
  process.kill(process.pid, 'SIGKILL');
  // Nothing runs between the signal and its effect.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** @param names of the calls that count, by method, from their arguments; undefined = this one does not count. */
function watched<T extends object>(
  target: T,
  names: Readonly<Record<string, (...args: never[]) => string | undefined>>,
): T {
  return new Proxy(target, {
    get(_, method) {
      const value: unknown = Reflect.get(target, method);
      if (typeof value !== 'function') return value;
      const nameOf = names[String(method)] as ((...args: unknown[]) => string | undefined) | undefined;
      if (!nameOf) return value.bind(target);
      return async (...args: unknown[]) => {
        const call = nameOf(...args);
        passes(call, 'before');
        const answer: unknown = await value.apply(target, args);
        passes(call, 'after');
        return answer;
      };
    },
  });
}

const named = (name: string) => () => name;
const LEDGER = {
  open: ({ slot }: OpenRequest) => `open ${slot}`,
  commit: ({ slot }: CommitRequest) => `commit ${slot}`,
  advance: (slot: number, requests: readonly AdvanceRequest[]) =>
    `${requests.some(({ to }) => to.position === END) ? 'end' : 'advance'} ${slot}`,
};
const LEASES = Object.fromEntries(
  ['bind', 'checkpoint', 'release', 'free', 'create', 'shardEnd'].map((name) => [name, named(name)]),
);
const LETTERS = { store: (_: string, { batch }: ReadBatch) => (batch.rejected.length > 0 ? 'letters' : undefined) };

const sink: StreamingSink = {
  async deliver(_, { batch, judgements }, from) {
    const fresh = [...batch.ids.keys()].filter((i) => i >= from && judgements[i] === FRESH);
    appendFileSync(process.env.DELIVERED ?? '', fresh.map((i) => `${batch.slots[i]}:${batch.ids[i]}\n`).join(''));
  },
};

function watchedParts(parts: WorkerParts): WorkerParts {
  const { spec, settleMs, stages, openSource, deadLettersFor } = parts;
  const ledger = watched(parts.ledger, LEDGER);
  const step =
    <A, B>(name: string, stage: (input: A) => B) =>
    (input: A): B => {
      const output = stage(input);
      passes(name, 'after');
      return output;
    };
  return {
    ...parts,
    ledger,
    advancer: new Advancer({ ledger, spec, settleMs, clock, logger: parts.logger, waiting: new Waiting(clock) }),
    leases: watched(parts.leases, LEASES),
    stages: { decode: step('decode', stages.decode), identify: step('identify', stages.identify) },
    openSource: (...args) => watched(openSource(...args), { next: named('read') }),
    deadLettersFor: (waiting) => watched(deadLettersFor(waiting), LETTERS),
    streamingSinks: [watched(sink, { deliver: named('deliver') })],
  };
}

const settings = readWorkerSettings();
const logger = createLogger(settings.logLevel, { process: 'worker', fleet: settings.fleet, name: settings.name });
const lifecycle = new Lifecycle(clock, logger);
lifecycle.handleSignals();
const outside = composeOutside(settings, clock, logger);
const { signal } = lifecycle;
const startup = { clock, logger, signal, onWait: () => undefined };
const { stores, connection, signals } = outside;
await untilTable(startup, { client: stores.client, tableName: settings.fleet, create: settings.createTable });
await untilRedis(startup, connection, settings.settleMs);
const fleet = await untilFleet(startup, stores.fleet, settings.stream);
const options = await composeWorkerOptions(settings, outside, fleet, clock, logger);
const worker = new Worker({ ...options, parts: watchedParts(options.parts) });
await runUntilDrained(worker, { clock, logger, stores, signals, shutdownMs: settings.shutdownMs, signal });
process.exit(0);
