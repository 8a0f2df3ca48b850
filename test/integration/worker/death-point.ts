/** Where a process of dying-worker.ts kills itself. */
export interface DeathPoint {
  /** A step of the loop, a call of a port, or `<call> <slot>`; `end <slot>` is the advance to a shard's end. */
  readonly call: string;
  /** before: the call has not left the process. after: it had its effect, and nobody in the process was told. */
  readonly side: 'before' | 'after';
  /** At which call of that name; default: the first. */
  readonly nth?: number;
}
