/**
 * How far this host's wall clock is from the clock of a server that says the time with its answers (HTTP's `Date`).
 * Nothing is decided by it, but people look at lags and at timestamps of logs, and AWS refuses requests that are signed
 * more than five minutes off. Said once when it begins and once when it ends.
 */
import type { Clock } from './clock.ts';
import type { LogFields, Logger } from './logger.ts';

export const CLOCK_AHEAD_HELP = "seconds that this host's wall clock is ahead of DynamoDB's; nothing is decided by it";

/** HTTP's dates have whole seconds. */
const RESOLUTION_MS = 1_000;
const NOTEWORTHY_MS = 30_000;
/** Told anew only after it was plainly less: the resolution alone moves what is seen by a second from call to call. */
const RIGHT_AGAIN_MS = 25_000;

export class ClockSkew {
  readonly #clock: Clock;
  readonly #logger: Logger;
  #aheadMs: number = 0;
  #isSaid: boolean = false;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** At the last answer; negative = behind. A difference that the call's own duration explains is none. */
  get aheadSeconds(): number {
    return Math.round(this.#aheadMs / 1_000);
  }

  /** The condition that holds, by its name; none as a rule. */
  get condition(): Readonly<Record<string, LogFields>> {
    return this.#isSaid ? { ClockSkewed: { aheadSeconds: this.aheadSeconds } } : {};
  }

  /** A call begins; what it gives is told the server's time when the answer is there. */
  asked(): (serverMs: number | undefined) => void {
    const askedMs = this.#clock.wallMs();
    return (serverMs) => {
      if (serverMs !== undefined) this.#saw(askedMs, serverMs, this.#clock.wallMs());
    };
  }

  #saw(askedMs: number, serverMs: number, answeredMs: number): void {
    // A process that was paused in the middle of a call is late, not wrong.
    if (serverMs + RESOLUTION_MS < askedMs) this.#aheadMs = askedMs - serverMs - RESOLUTION_MS;
    else if (serverMs > answeredMs) this.#aheadMs = answeredMs - serverMs;
    else this.#aheadMs = 0;
    const isNoteworthy = Math.abs(this.#aheadMs) > (this.#isSaid ? RIGHT_AGAIN_MS : NOTEWORTHY_MS);
    if (isNoteworthy === this.#isSaid) return;
    this.#isSaid = isNoteworthy;
    const fields = { aheadSeconds: this.aheadSeconds };
    if (isNoteworthy) this.#logger.warn("this host's wall clock is wrong: counts are not touched, lags are", fields);
    else this.#logger.info("this host's wall clock is right again", fields);
  }
}
