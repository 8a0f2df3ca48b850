/**
 * What a worker knows about a lease beside whether it works on it: when to look at its row again, and whether somebody
 * looks now. One desk per lease that is ordered, worked on or looked at; the others are forgotten.
 */
import type { LeaseKey } from '../lease/lease.ts';
import type { Clock } from '../runtime/clock.ts';
import { Nudge } from './shard/nudge.ts';

export interface Desk {
  readonly nudge: Nudge;
  /** One look at a lease row at a time. */
  isBusy: boolean;
  notBeforeMs: number;
  /** Consumers in a row that failed soon. */
  failures: number;
}

export class LeaseDesks {
  readonly #clock: Clock;
  readonly #desks = new Map<LeaseKey, Desk>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  of(key: LeaseKey): Desk {
    const known = this.#desks.get(key);
    if (known) return known;
    const desk = { nudge: new Nudge(this.#clock), isBusy: false, notBeforeMs: 0, failures: 0 };
    this.#desks.set(key, desk);
    return desk;
  }

  /** There is news of every lease, or of this one: look at its row when asked, unless its consumers fail. */
  expectNews(key?: LeaseKey): void {
    for (const [known, desk] of this.#desks) {
      if ((key === undefined || known === key) && desk.failures === 0) desk.notBeforeMs = 0;
    }
  }

  /** Ends the wait for a lease's old owner. */
  nudge(key: LeaseKey): void {
    this.#desks.get(key)?.nudge.give();
  }

  forget(isNeeded: (key: LeaseKey) => boolean): void {
    for (const [key, { isBusy }] of this.#desks) if (!isBusy && !isNeeded(key)) this.#desks.delete(key);
  }
}
