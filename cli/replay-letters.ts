/**
 * Puts dead letters back into the stream that they came from: they go through the normal path again, and the ledger
 * counts one that was counted before as a duplicate. A letter is taken out of its store only when Kinesis has it, so a
 * replay that is cut off loses none; what it put twice is a duplicate.
 */
import { createHash } from 'node:crypto';
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import type { Entry } from '../producer/put-call.ts';
import { MAX_RECORDS_PER_CALL, putRecords } from '../producer/put-records.ts';
import type { Clock } from '../runtime/clock.ts';
import { type DeadLetter, packLetters } from '../worker/sink/dead-letter.ts';
import type { LetterSource } from './letter-sources.ts';

export interface ReplayOptions {
  readonly source: Pick<LetterSource, 'letters' | 'remove'>;
  readonly client: Pick<KinesisClient, 'send'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly isWanted: (letter: DeadLetter) => boolean;
  /** Leave them in the store. */
  readonly keep: boolean;
}

export interface Replayed {
  readonly put: number;
  readonly removed: number;
}

const CALL_BYTES = 4 * 1024 * 1024;
const CALL_TIMEOUT_MS = 10_000;

type LetterEntry = Entry & { readonly letter: DeadLetter };

/** @throws FleetError (fatal) when a stream refuses a letter for good; those before it are put and taken out. */
export async function replayLetters(options: ReplayOptions): Promise<Replayed> {
  const total = { put: 0, removed: 0 };
  let gathered: DeadLetter[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    const done = await putBack(options, gathered);
    total.put += done.put;
    total.removed += done.removed;
    [gathered, bytes] = [[], 0];
  };
  for await (const letter of options.source.letters()) {
    if (options.signal.aborted) break;
    if (!options.isWanted(letter)) continue;
    gathered.push(letter);
    bytes += letter.bytes.length;
    if (gathered.length >= MAX_RECORDS_PER_CALL || bytes >= CALL_BYTES) await flush();
  }
  await flush();
  return total;
}

async function putBack(options: ReplayOptions, letters: readonly DeadLetter[]): Promise<Replayed> {
  const { client, clock, signal, source } = options;
  const counts = { calls: 0, retriedEntries: 0, ambiguousCalls: 0, ambiguousRecords: 0 };
  const stored: DeadLetter[] = [];
  const onStored = ({ letter }: LetterEntry): void => {
    stored.push(letter);
  };
  let removed = 0;
  try {
    for (const [stream, own] of Map.groupBy(letters, (letter) => letter.stream)) {
      const limits = { letters: MAX_RECORDS_PER_CALL, bytes: CALL_BYTES };
      for (const pack of packLetters(own, ({ bytes }) => bytes.length, limits)) {
        const context = { client, stream, clock, signal, callTimeoutMs: CALL_TIMEOUT_MS, counts, onStored };
        await putRecords(context, pack.map(entryOf));
      }
    }
  } finally {
    if (!options.keep) removed = await source.remove(stored);
  }
  return { put: stored.length, removed };
}

function entryOf(letter: DeadLetter): LetterEntry {
  return { letter, data: letter.bytes, partitionKey: letterId(letter), explicitHashKey: undefined };
}

/** Short, and the same wherever the letter is kept: 12 hex digits. */
export function letterId({ shard, position }: Pick<DeadLetter, 'shard' | 'position'>): string {
  return createHash('sha256').update(`${position} ${shard}`).digest('hex').slice(0, 12);
}
