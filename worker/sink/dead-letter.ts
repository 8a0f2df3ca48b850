/**
 * A dead letter: a record that cannot be processed, with all that is needed to find it, to understand it and to put it
 * through again. Its id is (shard, position); a store may have it twice, readers drop repeats.
 */
import { type Position, parsePosition } from '../../lease/position.ts';
import { positionAt } from '../ledger/batch-part.ts';
import type { IdentifiedBatch } from '../pipeline/identified-batch.ts';

export interface DeadLetter {
  /** Kinesis stream that the record was read from: name or ARN, as the fleet has it. */
  readonly stream: string;
  /** Lease key: account:stream:creationEpochSeconds:shardId. */
  readonly shard: string;
  readonly position: Position;
  /** When Kinesis took the record, milliseconds since 1970. */
  readonly arrivalMs: number;
  /** A word of rejection-reason.ts. */
  readonly reason: string;
  /** The user record as it came. */
  readonly bytes: Uint8Array;
}

/** The letters of a batch, in order; their bytes are views of the batch's. */
export function deadLettersOf(shard: string, stream: string, batch: IdentifiedBatch): DeadLetter[] {
  const { bytes, starts, ends, positions, arrivalsMs } = batch.records;
  return batch.rejected.map(({ index, reason }) => ({
    stream,
    shard,
    position: positionAt(positions, index),
    arrivalMs: arrivalsMs[index]!,
    reason,
    bytes: bytes.subarray(starts[index], ends[index]),
  }));
}

/** In a store that is read again; undefined = it is no letter. */
export function letterOf(text: (field: string) => string | undefined, bytes: Uint8Array): DeadLetter | undefined {
  const position = parsePosition(text('position') ?? '');
  const [stream, shard, arrival, reason] = ['stream', 'shard', 'arrival', 'reason'].map(text);
  if (!position || stream === undefined || shard === undefined || reason === undefined) return undefined;
  return { stream, shard, position, arrivalMs: Number(arrival), reason, bytes };
}

/** Letters in calls of bounded size; one larger than the bound goes alone. */
export function packLetters<L>(
  letters: readonly L[],
  bytesOf: (letter: L) => number,
  limits: { readonly letters: number; readonly bytes: number },
): L[][] {
  const packs: L[][] = [];
  let packBytes = 0;
  for (const letter of letters) {
    const pack = packs.at(-1);
    if (!pack || pack.length >= limits.letters || packBytes + bytesOf(letter) > limits.bytes) {
      packs.push([letter]);
      packBytes = 0;
    } else pack.push(letter);
    packBytes += bytesOf(letter);
  }
  return packs;
}
