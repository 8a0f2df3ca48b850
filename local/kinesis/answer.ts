/**
 * What an operation answers, before any encoding. Records stay in the form in which the log holds them, so that a
 * codec can pass them on unread. Instants are Timestamps, because each encoding writes them in its own unit.
 * Neighbours: operations/ make answers, codec.ts turns them into bytes.
 */
import type { Account } from './account.ts';
import type { Arguments } from './arguments.ts';
import type { RecordBatch } from './shard-log.ts';

export interface Answer {
  /** Undefined: an empty body. */
  members?: Readonly<Record<string, unknown>>;
  /** GetRecords only: the member `Records`. */
  records?: RecordBatch;
}

/** Runs to the end without waiting; throws KinesisError. */
export type Operation = (account: Account, args: Arguments) => Answer;

/** An instant; JSON writes it as epoch seconds. */
export class Timestamp {
  readonly epochMs: number;

  constructor(epochMs: number) {
    this.epochMs = epochMs;
  }

  toJSON(): number {
    return this.epochMs / 1000;
  }
}
