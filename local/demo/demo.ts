/**
 * `npm run demo`: the whole fleet on this machine, live, with faults on the way, judged against the producer's truth.
 * Answers whether every figure is equal and every fault really struck.
 */
import type { Clock } from '../../runtime/clock.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { Stage } from '../stage.ts';
import { faultScript } from './faults.ts';
import { Screen } from './screen.ts';
import { judge, type Strike, verdictText } from './verdict.ts';

export interface DemoOptions {
  readonly records: number;
  readonly shards: number;
  readonly workers: number;
  readonly seed: number;
  /** No faults. */
  readonly calm: boolean;
  /** Leave it running until the signal aborts. */
  readonly keep: boolean;
}

const SECONDS_OF_PRODUCTION = 36;
/** Of the 1,000 records per second that a shard takes, leaving room for uneven spread and for splits. */
const MAX_RATE_PER_SHARD = 600;
const DUPLICATE_SHARE = 0.05;
const GARBAGE_SHARE = 0.001;
const LOOK_EVERY_MS = 500;
const COUNT_TIMEOUT_MS = 30_000;

/** @returns true when everything is equal and struck. Rejects with the signal's reason when it aborts. */
export async function runDemo(options: DemoOptions, clock: Clock, signal: AbortSignal): Promise<boolean> {
  const screen = new Screen(process.stdout, clock);
  screen.event('starting local Kinesis, DynamoDB and Redis');
  const stage = await Stage.start({ clock, shards: options.shards });
  try {
    screen.event(`they run (${stage.servers.redisKind}); starting a controller and ${options.workers} workers`);
    await Promise.all([stage.fleet.startController(), stage.fleet.scale(options.workers)]);
    const good = await abortable(perform(options, stage, screen, clock), signal);
    if (options.keep) await keep(stage, screen, clock, signal);
    return good;
  } finally {
    // All is judged: nothing is worth waiting for a drain.
    await stage.abort();
  }
}

async function perform(options: DemoOptions, stage: Stage, screen: Screen, clock: Clock): Promise<boolean> {
  const production = { produced: 0, records: options.records };
  const done = new AbortController();
  const watching = watch(stage, screen, production, clock, done.signal);
  const strikes: Strike[] = [];
  try {
    screen.event(`producing ${options.records} logins, seed ${options.seed}`);
    const produced = stage.produce({
      records: options.records,
      ratePerSecond: Math.min(options.records / SECONDS_OF_PRODUCTION, options.shards * MAX_RATE_PER_SHARD),
      seed: options.seed,
      duplicateShare: DUPLICATE_SHARE,
      garbageShare: GARBAGE_SHARE,
      onProgress: (count) => {
        if (!Number.isNaN(count)) production.produced = count;
      },
    });
    const faults = options.calm ? Promise.resolve() : runFaults(options, stage, screen, production, clock, strikes);
    const [truth] = await Promise.all([produced, faults]);
    screen.event('all produced; waiting until all is counted');
    const counted = await stage.untilCounted(truth.records, COUNT_TIMEOUT_MS);
    const sight = await stage.observer.look();
    if (!options.calm) strikes.push(...seen(sight.handoffs, sight.replayed, truth.duplicate));
    const verdict = judge(truth, counted);
    const good = verdict.equal && strikes.every((strike) => strike.struck);
    done.abort();
    await watching;
    screen.end(`${verdictText(verdict, strikes)}\n\n${good ? 'every figure is equal' : 'NOT GOOD: see above'}`);
    return good;
  } finally {
    done.abort();
  }
}

async function runFaults(
  options: DemoOptions,
  stage: Stage,
  screen: Screen,
  production: { readonly produced: number },
  clock: Clock,
  strikes: Strike[],
): Promise<void> {
  for (const fault of faultScript(options.workers)) {
    while (production.produced < fault.at * options.records) await clock.sleep(50);
    const strike = await fault.strike(stage, (text) => screen.event(text));
    if (strike) strikes.push(strike);
  }
}

function seen(handoffs: number, replayed: number, duplicates: number): Strike[] {
  return [
    { fault: 'planned moves', struck: handoffs > 0, evidence: `${handoffs} handoffs` },
    { fault: 'replay', struck: replayed > 0, evidence: `${replayed} records read again and not counted again` },
    { fault: 'duplicates', struck: duplicates > 0, evidence: `${duplicates} copies landed on another shard` },
  ];
}

async function watch(
  stage: Stage,
  screen: Screen,
  production: { readonly produced: number; readonly records: number },
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const sight = await stage.observer.look();
      if (!signal.aborted)
        screen.draw(
          sight,
          production,
          stage.fleet.workers.map((worker) => worker.name),
        );
    } catch (error) {
      screen.event(`cannot look at the fleet: ${errorMessage(error)}`);
    }
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}

async function keep(stage: Stage, screen: Screen, clock: Clock, signal: AbortSignal): Promise<void> {
  const members = [...stage.fleet.controllers, ...stage.fleet.workers];
  const exports = Object.entries(stage.env).filter(([name]) =>
    /^(AWS_(REGION|ACCESS|SECRET|ENDPOINT)|REDIS_URL|STREAM|FLEET)/.test(name),
  );
  screen.end(
    [
      ...members.map((member) => `${member.name.padEnd(14)} ${member.httpUrl}/metrics`),
      '',
      'In another terminal (Ctrl-C here ends it all):',
      `export ${exports.map(([name, value]) => `${name}=${value}`).join(' ')}`,
      'npx kinesis-fleet status',
      'npx kinesis-fleet produce --records 1000',
      'npx kinesis-fleet counts',
    ].join('\n'),
  );
  while (!signal.aborted) await clock.sleep(3_600_000, signal);
}

function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    if (signal.aborted) abort();
  });
}
