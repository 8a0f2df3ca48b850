/**
 * One leader among the controllers. The port, which a Kubernetes Lease satisfies as well, and leadership by the
 * `leader` row of the fleet table for where there is no Kubernetes. Every leader's write is conditional, so two leaders
 * for a moment do no harm; still a leader stops acting (renew deadline) well before anybody may follow (lease).
 */
import { backoffMs, type Random } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorName } from '../runtime/errors.ts';
import { errorFields, type Logger } from '../runtime/logger.ts';
import type { LeaderRow, LeaderStore } from './worker-store.ts';

export interface Leadership {
  /** Looks at the clock: false as soon as the renew deadline has passed, whatever hangs. */
  isLeading(): boolean;
  /** Who leads could be seen, and the row claimed where it was due, at least once: without that nobody ever follows. */
  hasLooked(): boolean;
  /**
   * Campaigns until `signal` aborts. For each term calls `lead` with a signal that aborts when the term ends, and waits
   * for it before anything else: terms of one process never overlap. When `lead` ends by itself, so does `run`, with
   * its failure if there is one. The row is given back at the end.
   */
  run(signal: AbortSignal, lead: (term: AbortSignal) => Promise<void>): Promise<void>;
}

export interface RowLeadershipOptions {
  readonly store: LeaderStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of this process alone: with a nonce. */
  readonly holder: string;
  /** A row unchanged for this long, on the watcher's clock, may be claimed. */
  readonly leaseDurationMs?: number;
  /** A leader without an answered renewal for this long stops acting. Less than the lease. */
  readonly renewDeadlineMs?: number;
  /** Between two renewals, and between two looks of those who wait. */
  readonly retryMs?: number;
  readonly random?: Random;
}

interface Claim {
  readonly row: LeaderRow;
  /** Monotonic time at which the claim was begun: deadlines count from there. */
  readonly startedMs: number;
}

const LEASE_DURATION_MS = 10_000;
const RENEW_DEADLINE_MS = 7_000;
const RETRY_MS = 2_000;

export class RowLeadership implements Leadership {
  readonly #store: LeaderStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #holder: string;
  readonly #leaseDurationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryMs: number;
  readonly #random: Random | undefined;
  #leadingUntilMs = Number.NEGATIVE_INFINITY;
  #hasLooked = false;

  constructor(options: RowLeadershipOptions) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#logger = options.logger.child({ holder: options.holder });
    this.#holder = options.holder;
    this.#leaseDurationMs = options.leaseDurationMs ?? LEASE_DURATION_MS;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? RENEW_DEADLINE_MS;
    this.#retryMs = options.retryMs ?? RETRY_MS;
    this.#random = options.random;
  }

  isLeading(): boolean {
    return this.#clock.monotonicMs() < this.#leadingUntilMs;
  }

  hasLooked(): boolean {
    return this.#hasLooked;
  }

  async run(signal: AbortSignal, lead: (term: AbortSignal) => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      const claim = await this.#campaign(signal);
      if (!claim) return;
      this.#logger.info('leadership won');
      const ended = await this.#serve(claim, signal, lead);
      this.#logger.info('leadership ended', { ended });
      if (ended === 'done') return;
    }
  }

  /** Undefined when the signal aborted first. */
  async #campaign(signal: AbortSignal): Promise<Claim | undefined> {
    let watched: { readonly row: LeaderRow | undefined; readonly sinceMs: number } | undefined;
    let said: string | undefined;
    while (!signal.aborted) {
      try {
        const row = await this.#store.readLeader();
        const nowMs = this.#clock.monotonicMs();
        if (!watched || !isSame(row, watched.row)) watched = { row, sinceMs: nowMs };
        // A row of one's own is left from a term that is over.
        const isMine = row?.holder === this.#holder;
        const isDue = !row || isMine || nowMs - watched.sinceMs >= this.#waitMs(row);
        const won = isDue ? await this.#store.claimLeader(this.#holder, row) : undefined;
        this.#hasLooked = true;
        said = undefined;
        if (won) return { row: won, startedMs: nowMs };
      } catch (error) {
        if (errorName(error) !== said) this.#logger.warn('leader row not reachable', errorFields(error));
        said = errorName(error);
      }
      await this.#clock.sleep(this.#jittered(), signal);
    }
    return undefined;
  }

  /** lost: the term ended, another may begin. done: shutdown, or `lead` ended by itself. */
  async #serve(
    claim: Claim,
    signal: AbortSignal,
    lead: (term: AbortSignal) => Promise<void>,
  ): Promise<'lost' | 'done'> {
    const term = new AbortController();
    const leadEnded = new AbortController();
    this.#leadingUntilMs = claim.startedMs + this.#renewDeadlineMs;
    const leading = Promise.allSettled([lead(term.signal)]).finally(() => leadEnded.abort());
    try {
      await this.#renewUntil(claim.row, AbortSignal.any([signal, leadEnded.signal]));
      const ended = signal.aborted || leadEnded.signal.aborted ? 'done' : 'lost';
      this.#leadingUntilMs = Number.NEGATIVE_INFINITY;
      term.abort(new DOMException('leadership ended', 'AbortError'));
      const [led] = await leading;
      if (led.status === 'rejected') throw led.reason;
      return ended;
    } finally {
      await this.#resign();
    }
  }

  /** Returns when the row is another's, the renew deadline has passed, or `stop` aborts. */
  async #renewUntil(claimed: LeaderRow, stop: AbortSignal): Promise<void> {
    let row = claimed;
    let failures = 0;
    while (!stop.aborted && this.isLeading()) {
      const waitMs = failures === 0 ? this.#jittered() : backoffMs({ baseMs: 200, maxMs: this.#retryMs }, failures);
      await this.#sleepWithinTerm(waitMs, stop);
      if (stop.aborted) return;
      const startedMs = this.#clock.monotonicMs();
      const answer = await this.#inTime(this.#renew(row), stop);
      if (answer === 'lost') return;
      if (answer === 'failed') failures++;
      else {
        row = answer;
        failures = 0;
        this.#leadingUntilMs = startedMs + this.#renewDeadlineMs;
      }
    }
  }

  async #renew(row: LeaderRow): Promise<LeaderRow | 'lost' | 'failed'> {
    try {
      return (await this.#store.claimLeader(this.#holder, row)) ?? 'lost';
    } catch (error) {
      this.#logger.warn('leadership renewal failed', errorFields(error));
      return 'failed';
    }
  }

  /** A renewal that hangs must not outlive the term: it counts as failed at the deadline. */
  async #inTime<T>(renewal: Promise<T>, stop: AbortSignal): Promise<T | 'failed'> {
    const answered = new AbortController();
    const late = this.#sleepWithinTerm(Number.POSITIVE_INFINITY, AbortSignal.any([stop, answered.signal]));
    try {
      return await Promise.race([renewal, late.then(() => 'failed' as const)]);
    } finally {
      answered.abort();
    }
  }

  #sleepWithinTerm(ms: number, signal: AbortSignal): Promise<void> {
    return this.#clock.sleep(Math.min(ms, this.#leadingUntilMs - this.#clock.monotonicMs()), signal);
  }

  /** Two versions side by side may have two settings: the holder's word counts, it stops by its own. */
  #waitMs(row: LeaderRow): number {
    return row.leaseDurationMs ?? this.#leaseDurationMs;
  }

  /** Does nothing when the row is another's; when it fails the row runs out by itself. */
  async #resign(): Promise<void> {
    this.#leadingUntilMs = Number.NEGATIVE_INFINITY;
    try {
      await this.#store.resignLeader(this.#holder);
    } catch (error) {
      this.#logger.warn('leader row not given back', errorFields(error));
    }
  }

  /** 80 to 120 % of the retry period: two controllers started together do not stay in step. */
  #jittered(): number {
    return this.#retryMs * (0.8 + 0.4 * (this.#random ?? Math.random)());
  }
}

function isSame(a: LeaderRow | undefined, b: LeaderRow | undefined): boolean {
  return a?.holder === b?.holder && a?.beats === b?.beats;
}
