/**
 * A fleet for chaos: every process in a slot of its own, with its memory, its lines and all that no fault explains
 * being noted. The settings are the product's, with a lease as short as the run wants it, so that more happens a minute.
 */
import { readdirSync } from 'node:fs';
import type { Clock } from '../../runtime/clock.ts';
import type { SlotName } from './fault.ts';
import { LogKeeper } from './log-keeper.ts';
import type { Plan } from './plan.ts';
import { childrenOf, ProcessFigures } from './process-figures.ts';
import { Slot } from './slot.ts';

const SAMPLE_MS = 1_000;
const SHUTDOWN_MS = 20_000;
/** What a process may take to end after SIGTERM, beside its own time to hand over. */
export const GRACE_MS = SHUTDOWN_MS + 12_000;

/** Everything that depends on the lease in its usual proportion to it. */
export function settingsFor(leaseMs: number): Record<string, string> {
  const settings = {
    LEASE_DURATION_MS: leaseMs,
    HEARTBEAT_MS: Math.min(1_000, leaseMs / 8),
    LEASE_MARGIN_MS: leaseMs / 10,
    LEADER_LEASE_MS: leaderLeaseMsOf(leaseMs),
    LEADER_RENEW_DEADLINE_MS: leaderLeaseMsOf(leaseMs) * 0.7,
    LEADER_RETRY_MS: leaderLeaseMsOf(leaseMs) / 6,
    HANDOFF_DEADLINE_MS: leaseMs * 3,
    LIST_SHARDS_MS: 5_000,
    LEASE_SCAN_MS: 10_000,
    SETTLE_MS: Math.min(2_000, leaseMs / 2),
    CHECKPOINT_MS: Math.min(5_000, leaseMs / 2),
    // What is read ahead while Redis is away is no growth; on a large machine the default would let it look so.
    BYTE_BUDGET_MIB: 32,
    SHUTDOWN_MS,
  };
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(Math.round(value))]));
}

export function leaderLeaseMsOf(leaseMs: number): number {
  return Math.round(leaseMs * 0.6);
}

export class ChaosFleet {
  readonly slots: ReadonlyMap<SlotName, Slot>;
  readonly figures = new ProcessFigures();
  readonly logs = new LogKeeper();
  readonly violations: string[] = [];
  readonly #clock: Clock;
  readonly #plan: Plan;
  readonly #startedMs: number;

  constructor(plan: Plan, env: Readonly<Record<string, string>>, clock: Clock) {
    this.#clock = clock;
    this.#plan = plan;
    this.#startedMs = clock.monotonicMs();
    const slotOf = (name: SlotName): Slot =>
      new Slot({
        ...{ name, env, clock },
        onLife: (life) => this.figures.born(life, this.elapsedMs()),
        onLine: (life, line) => this.logs.take(life, line),
        onViolation: (text) => this.violations.push(text),
      });
    this.slots = new Map(plan.slots.map(({ name }) => [name, slotOf(name)]));
  }

  /** Milliseconds since this fleet was made. */
  elapsedMs(): number {
    return this.#clock.monotonicMs() - this.#startedMs;
  }

  /** All controllers, and the first `workers` workers. */
  async start(workers: number): Promise<void> {
    await Promise.all([...this.slots.values()].map((slot) => slot.open()));
    const first = this.#plan.slots.filter(({ name }) => !name.startsWith('worker') || Number(name.slice(7)) <= workers);
    await Promise.all(first.map(({ name, clockOffsetMs }) => this.slots.get(name)?.start(clockOffsetMs)));
  }

  /** Beginnings of the ids of the workers that run now. */
  workerIdPrefixes(): string[] {
    return [...this.slots.values()].flatMap(({ kind, life, name }) =>
      kind === 'worker' && life ? [`${name}-life${life.name.split('.')[1]}-`] : [],
    );
  }

  async sampleUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.figures.sample(this.elapsedMs());
      await this.#clock.sleep(SAMPLE_MS, signal);
    }
  }

  /** SIGTERM to all: workers first, so that somebody leads while they leave. What does not end well is a violation. */
  async stop(): Promise<void> {
    for (const kind of ['worker', 'controller']) {
      const slots = [...this.slots.values()].filter((slot) => slot.kind === kind);
      await Promise.all(slots.map((slot) => slot.terminate(GRACE_MS)));
    }
  }

  /** kill -9 to all that is left, and the proxies closed. */
  async abandon(): Promise<void> {
    for (const slot of this.slots.values()) slot.abandon();
    await Promise.all([...this.slots.values()].map((slot) => slot.close()));
  }
}

/** Processes that this one started, and that still are. Empty where there is no /proc. */
export function ownChildren(): readonly number[] {
  try {
    return childrenOf(
      process.pid,
      readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map(Number),
    );
  } catch {
    return [];
  }
}
