/**
 * One run of chaos: servers, fleet and producer start, the plan's faults strike while records flow, and when the last
 * fault is over the fleet has a bounded time to count everything. The producer's own truth is the judge; besides, no
 * process may end by itself, outlive SIGTERM or the run, spin, or grow.
 */
import { judge, type Verdict } from '../../local/demo/verdict.ts';
import { Stage } from '../../local/stage.ts';
import type { FleetCounts } from '../../pipelines/fleet-counts.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { ChaosFleet, GRACE_MS, leaderLeaseMsOf, ownChildren, settingsFor } from './chaos-fleet.ts';
import { describeFault } from './fault.ts';
import { makePlan, type Plan, type PlanOptions } from './plan.ts';
import { MAX_GROWTH } from './process-figures.ts';
import { type Rest, untilAtRest } from './rest.ts';
import { Striker } from './striker.ts';

export interface ChaosOptions extends Omit<PlanOptions, 'leaderLeaseMs' | 'controllers'> {
  readonly ratePerSecond: number;
  /** Once the faults are over, everything must be counted within this time. */
  readonly countWithinMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told of what happens, a line each. */
  readonly say: (line: string) => void;
}

export interface ChaosReport {
  readonly verdict: Verdict;
  readonly rest: Rest;
  /** What no fault explains; empty in a good run. */
  readonly violations: readonly string[];
  /** Card to how often it struck. */
  readonly struck: ReadonlyMap<string, number>;
  readonly fleet: ChaosFleet;
  readonly good: boolean;
}

const CONTROLLERS = 2;
const DUPLICATE_SHARE = 0.08;
const GARBAGE_SHARE = 0.002;
const STATUS_MS = 10_000;
/** Beside what it takes ledger writes to settle. */
const SURPLUS_MS = 500;
const MAX_CPU_SHARE = 0.8;
const MAX_LINES_PER_SECOND = 50;

export function planOf(options: Omit<PlanOptions, 'leaderLeaseMs' | 'controllers'>): Plan {
  return makePlan({ ...options, leaderLeaseMs: leaderLeaseMsOf(options.leaseMs), controllers: CONTROLLERS });
}

/** Rejects when it could not be carried out, or with the signal's reason. The caller removes the logs. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { clock, shards, leaseMs, signal } = options;
  const before = new Set(ownChildren());
  const stage = await Stage.start({ clock, shards, settings: settingsFor(leaseMs) });
  const fleet = new ChaosFleet(planOf(options), stage.env, clock);
  let isStopped = false;
  try {
    signal.throwIfAborted();
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    const outcome = await Promise.race([perform(options, stage, fleet), aborted]);
    await fleet.abandon();
    await stage.stop();
    isStopped = true;
    const leaked = ownChildren().filter((pid) => !before.has(pid));
    if (leaked.length > 0) fleet.violations.push(`processes were left behind: ${leaked.join(', ')}`);
    return reportOf(outcome, fleet);
  } finally {
    if (!isStopped) {
      await fleet.abandon();
      await stage.abort();
    }
  }
}

type Outcome = Pick<ChaosReport, 'verdict' | 'rest' | 'struck'>;

async function perform(options: ChaosOptions, stage: Stage, fleet: ChaosFleet): Promise<Outcome> {
  const { clock, say, countWithinMs } = options;
  const done = new AbortController();
  const production = { produced: 0 };
  say(`servers run (${stage.servers.redisKind}); starting ${CONTROLLERS} controllers and ${options.workers} workers`);
  await fleet.start(options.workers);
  const watching = [fleet.sampleUntil(done.signal), tellStatus(options, stage, fleet, production, done.signal)];
  try {
    const [truth, struck] = await Promise.all([
      produce(options, stage, production),
      strikeAll(options, stage, fleet, fleet.elapsedMs()),
    ]);
    say(`the faults are over and ${truth.records} records produced; the fleet has ${countWithinMs / 1_000} s`);
    const rest = await untilAtRest(stage, fleet, truth.records, countWithinMs, clock);
    say(rest.missing.length === 0 ? `at rest after ${(rest.afterMs / 1_000).toFixed(1)} s` : 'NOT at rest in time');
    // A record that is counted twice may be so a little later.
    await clock.sleep(options.leaseMs / 2 + SURPLUS_MS);
    const verdict = judge(truth, await stage.observer.counts());
    done.abort();
    await Promise.all(watching);
    await fleet.stop();
    return { verdict, rest, struck };
  } finally {
    done.abort();
  }
}

function produce(options: ChaosOptions, stage: Stage, production: { produced: number }): Promise<FleetCounts> {
  const { ratePerSecond, seed } = options;
  return stage.produce({
    ...{ ratePerSecond, seed, duplicateShare: DUPLICATE_SHARE, garbageShare: GARBAGE_SHARE },
    records: Math.round((options.durationMs / 1_000) * ratePerSecond),
    onProgress: (count) => {
      if (!Number.isNaN(count)) production.produced = count;
    },
  });
}

/** Resolves when the last fault is over: card to how often it struck. */
async function strikeAll(
  options: ChaosOptions,
  stage: Stage,
  fleet: ChaosFleet,
  startMs: number,
): Promise<Map<string, number>> {
  const { clock, say, signal } = options;
  const striker = new Striker({ stage, slots: fleet.slots, clock, graceMs: GRACE_MS });
  const struck = new Map<string, number>();
  const underWay: Promise<void>[] = [];
  for (const { atMs, card, fault } of planOf(options).faults) {
    await clock.sleep(startMs + atMs - fleet.elapsedMs(), signal);
    if (signal.aborted) break;
    say(`${clockText(fleet.elapsedMs() - startMs)}  ${describeFault(fault)}`);
    const strike = striker.strike(fault).then((whyNot) => {
      if (whyNot === undefined) struck.set(card, (struck.get(card) ?? 0) + 1);
      else say(`          did not strike: ${describeFault(fault)}: ${whyNot}`);
    });
    underWay.push(strike);
  }
  await Promise.all(underWay);
  return struck;
}

async function tellStatus(
  { clock, say }: ChaosOptions,
  stage: Stage,
  fleet: ChaosFleet,
  production: { readonly produced: number },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(STATUS_MS, signal);
    if (signal.aborted) return;
    const counts = await stage.observer.counts().catch((error: unknown) => errorMessage(error));
    const running = [...fleet.slots.values()].flatMap(({ life }) => life?.name ?? []);
    const counted = typeof counts === 'string' ? `(${counts})` : `${counts.records}, duplicates ${counts.duplicate}`;
    say(`          · produced ${production.produced}, counted ${counted} · ${running.join(' ')}`);
  }
}

function reportOf({ verdict, rest, struck }: Outcome, fleet: ChaosFleet): ChaosReport {
  const { figures, violations, logs } = fleet;
  const busiest = figures.busiest();
  if (busiest && busiest.share > MAX_CPU_SHARE)
    violations.push(`${busiest.name} used ${Math.round(busiest.share * 100)} % of a core for a minute`);
  for (const { name, ratio } of figures.growths())
    if (ratio > MAX_GROWTH) violations.push(`the memory of ${name} grew to ${ratio.toFixed(3)} of what it was`);
  for (const { name, seconds } of figures.ages())
    if (logs.linesOf(name) > 1_000 + seconds * MAX_LINES_PER_SECOND)
      violations.push(`${name} said ${logs.linesOf(name)} lines in ${Math.round(seconds)} s`);
  const good = verdict.equal && rest.missing.length === 0 && violations.length === 0;
  return { verdict, rest, struck, violations, fleet, good };
}

function clockText(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  return `${String(Math.floor(seconds / 60)).padStart(3)}:${String(seconds % 60).padStart(2, '0')}`;
}
