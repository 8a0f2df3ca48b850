/**
 * Who lives, judged on this controller's own monotonic clock from two observations: a worker's beats as its row was
 * read, and whether its subscription was counted. Nothing is concluded from what was not observed: time without
 * reads (a paused controller, a table that did not answer) is not silence, and presence says nothing across a
 * reconnect, about a worker that was not seen on this connection, or when nobody is present.
 */
import type { WorkerRow } from '../../lease/worker-store.ts';
import type { PresenceAnswer } from '../../signal/signals.ts';
import type { DeathReason } from '../fleet-view.ts';

export interface LivenessOptions {
  /** Lease duration and margin. */
  readonly deadAfterMs: number;
  readonly graceMs: number;
  readonly heartbeatMs: number;
  /** A longer pause between two reads of a row counts only as this long. */
  readonly longestGapMs: number;
}

interface Observed {
  beats: number;
  /** Start of the first read that returned these beats, moved on by time without reads. */
  quietSinceMs: number;
  readMs: number;
  /** Its subscription was counted on the present connection. */
  wasPresent: boolean;
  absentSinceMs: number | undefined;
  /** Times that its beats moved while it was absent: each doubles the silence that it is given. */
  movesWhileAbsent: number;
  dead: DeathReason | undefined;
}

export class Liveness {
  readonly #options: LivenessOptions;
  readonly #workers = new Map<string, Observed>();
  #connection: number | undefined;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  /** Rows as a read that began at `readMs` returned them; who was asked for and is missing is gone. */
  sawRows(askedIds: readonly string[], rows: readonly WorkerRow[], readMs: number): void {
    const byId = new Map(rows.map((row) => [row.id, row]));
    for (const id of askedIds) {
      const row = byId.get(id);
      if (row) this.#sawRow(row, readMs);
      else this.#workers.set(id, { ...(this.#workers.get(id) ?? unseen(readMs)), dead: 'gone' });
    }
  }

  /** One count of the subscriptions of all workers; undefined when there is none. Gives those that were there before. */
  sawPresence(answer: PresenceAnswer | undefined, nowMs: number): readonly string[] {
    const vanished: string[] = [];
    const isSameConnection = answer !== undefined && answer.connection === this.#connection;
    this.#connection = answer?.connection;
    for (const [id, worker] of this.#workers) {
      if (!isSameConnection) worker.wasPresent = false;
      if (answer?.present.has(id)) {
        worker.wasPresent = true;
        worker.absentSinceMs = undefined;
        worker.movesWhileAbsent = 0;
      } else if (worker.wasPresent && answer && answer.present.size > 0) {
        if (worker.absentSinceMs === undefined) vanished.push(id);
        worker.absentSinceMs ??= nowMs;
      } else {
        worker.absentSinceMs = undefined;
      }
    }
    return vanished;
  }

  /** Suspects whose rows should be read now: their beats decide. */
  toRead(nowMs: number): string[] {
    return [...this.#workers].flatMap(([id, worker]) => (this.#isReadDue(worker, nowMs) ? [id] : []));
  }

  /** Until the next suspect's row should be read; infinite when there is no suspect. */
  dueInMs(nowMs: number): number {
    const dues = [...this.#workers.values()].map((worker) => {
      const { absentSinceMs, dead } = worker;
      return dead === undefined && absentSinceMs !== undefined ? this.#silentAtMs(worker, absentSinceMs) : Infinity;
    });
    return Math.min(...dues) - nowMs;
  }

  /** Undefined = alive, as far as anybody can tell. */
  deathOf(id: string): DeathReason | undefined {
    return this.#workers.get(id)?.dead;
  }

  forgetOthers(ids: ReadonlySet<string>): void {
    for (const id of this.#workers.keys()) if (!ids.has(id)) this.#workers.delete(id);
  }

  #sawRow(row: WorkerRow, readMs: number): void {
    const worker = this.#workers.get(row.id);
    if (!worker) {
      this.#workers.set(row.id, { ...unseen(readMs), beats: row.beats });
      return;
    }
    if (readMs < worker.readMs) return;
    const lastReadMs = worker.readMs;
    const gapMs = readMs - lastReadMs;
    worker.readMs = readMs;
    if (worker.beats !== row.beats || worker.dead === 'gone') {
      // Between two reads of which only the second saw it absent it may have moved before.
      if (worker.absentSinceMs !== undefined && worker.absentSinceMs <= lastReadMs) worker.movesWhileAbsent++;
      worker.beats = row.beats;
      worker.quietSinceMs = readMs;
      worker.dead = undefined;
      return;
    }
    worker.quietSinceMs += Math.max(0, gapMs - this.#options.longestGapMs);
    worker.dead ??= this.#verdict(worker, readMs);
  }

  #verdict(worker: Observed, readMs: number): DeathReason | undefined {
    if (readMs - worker.quietSinceMs >= this.#options.deadAfterMs) return 'heartbeat';
    const isSuspect = worker.absentSinceMs !== undefined && readMs >= this.#silentAtMs(worker, worker.absentSinceMs);
    return isSuspect ? 'presence' : undefined;
  }

  #isReadDue(worker: Observed, nowMs: number): boolean {
    if (worker.dead !== undefined || worker.absentSinceMs === undefined) return false;
    // The first read tells what its beats are now; a later one whether they moved since.
    return worker.readMs < worker.absentSinceMs || nowMs >= this.#silentAtMs(worker, worker.absentSinceMs);
  }

  #silentAtMs(worker: Observed, absentSinceMs: number): number {
    const { graceMs, heartbeatMs } = this.#options;
    const silenceMs = Math.min(graceMs * 2 ** worker.movesWhileAbsent, Math.max(graceMs, heartbeatMs * 2.5));
    return Math.max(worker.quietSinceMs, absentSinceMs) + silenceMs;
  }
}

function unseen(readMs: number): Observed {
  return {
    beats: 0,
    quietSinceMs: readMs,
    readMs,
    wasPresent: false,
    absentSinceMs: undefined,
    movesWhileAbsent: 0,
    dead: undefined,
  };
}
