/**
 * Time as a dependency. The only file that touches Date and timers, so that every test can turn the clock.
 * Wall time is for what people and payloads see; durations and deadlines use monotonic time, because a host's
 * wall clock may jump. Nothing is decided by comparing two hosts' clocks.
 */

export interface Clock {
  /** Milliseconds since 1970 on this host's wall clock. */
  wallMs(): number;
  /** Milliseconds on a clock that never goes back; only differences mean something. */
  monotonicMs(): number;
  /** Resolves after `ms` milliseconds, or at once when the signal aborts: look at `signal.aborted` afterwards. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** A signal that aborts after `ms` milliseconds, or with `parent`; for deadlines of outside calls. */
  deadline(ms: number, parent?: AbortSignal): AbortSignal;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep(ms, signal) {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, ms));
      signal?.addEventListener('abort', done, { once: true });
    });
  },
  deadline(ms, parent) {
    const timeout = AbortSignal.timeout(ms);
    return parent ? AbortSignal.any([parent, timeout]) : timeout;
  },
};

/** The system's clock with its wall time off by `offsetMs`: what a host has whose clock is wrong. For drills. */
export function clockWithOffset(offsetMs: number): Clock {
  return offsetMs === 0 ? systemClock : { ...systemClock, wallMs: () => Date.now() + offsetMs };
}

/** Text of an instant, `2026-11-21T10:00:00.000Z`, for logs and reports. */
export function isoTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

/** Milliseconds since 1970 of HTTP's `Date` header, which has whole seconds; undefined when there is none. */
export function parseHttpTime(text: string | undefined): number | undefined {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}

/** Milliseconds since 1970 of an ISO 8601 time, or undefined when the text is none. */
export function parseIsoTime(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
