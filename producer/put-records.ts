/**
 * Puts a list of records until every one is stored: entries that were refused are sent again after a back-off, alone.
 * What happened is counted, ambiguous calls above all, because they are what makes a truth inexact.
 */
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { type BackoffOptions, backoffMs } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Entry, putCall } from './put-call.ts';

export const MAX_RECORDS_PER_CALL = 500;

const BACKOFF: BackoffOptions = { baseMs: 50, maxMs: 2000 };

export interface PutCounts {
  calls: number;
  /** Entries sent again because they had been refused. */
  retriedEntries: number;
  ambiguousCalls: number;
  /** User records of those calls that were sent again, or given up: each may be stored once more than the truth says. */
  ambiguousRecords: number;
}

export interface PutContext<E extends Entry> {
  readonly client: Pick<KinesisClient, 'send'>;
  readonly stream: string;
  readonly clock: Clock;
  /** Ends the retrying. A call under way is not cut off: that would make it ambiguous. */
  readonly signal: AbortSignal;
  readonly callTimeoutMs: number;
  readonly counts: PutCounts;
  readonly onStored: (entry: E, shardId: string) => void;
}

/** @param records at most MAX_RECORDS_PER_CALL. @throws FleetError (fatal) when the stream refuses for good */
export async function putRecords<E extends Entry>(context: PutContext<E>, records: readonly E[]): Promise<void> {
  const { client, stream, clock, signal, counts } = context;
  let left = records;
  for (let attempt = 1; left.length > 0 && !signal.aborted; attempt++) {
    counts.calls++;
    const answer = await putCall(client, stream, left, clock.deadline(context.callTimeoutMs));
    if (answer.kind === 'answered') {
      left = left.filter((record, i) => {
        const shardId = answer.shardIds[i];
        if (shardId !== undefined) context.onStored(record, shardId);
        return shardId === undefined;
      });
    }
    if (answer.kind === 'ambiguous') {
      counts.ambiguousCalls++;
      counts.ambiguousRecords += left.reduce((sum, { userRecords = 1 }) => sum + userRecords, 0);
    } else {
      counts.retriedEntries += left.length;
    }
    if (left.length > 0) await clock.sleep(backoffMs(BACKOFF, attempt), signal);
  }
}
