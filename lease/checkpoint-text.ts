/**
 * A checkpoint as one word of text, for attributes of ours that keep one beside KCL's (`ledgerStart`, `resetFloor`):
 * a position, a sentinel, or `AT_TIMESTAMP:<ms>`. KCL's own attributes have another form (dynamodb/lease-row.ts).
 */
import { type Checkpoint, END, parsePosition } from './position.ts';

export function checkpointText(checkpoint: Checkpoint): string {
  if (checkpoint.kind === 'AFTER') return checkpoint.position;
  return checkpoint.kind === 'AT_TIMESTAMP' ? `${checkpoint.kind}:${checkpoint.timestampMs}` : checkpoint.kind;
}

/** Undefined when the text is no checkpoint. */
export function parseCheckpointText(text: string): Checkpoint | undefined {
  if (text === 'TRIM_HORIZON' || text === 'LATEST' || text === 'SHARD_END') return { kind: text };
  const [, timestampMs] = /^AT_TIMESTAMP:(\d{1,15})$/.exec(text) ?? [];
  if (timestampMs !== undefined) return { kind: 'AT_TIMESTAMP', timestampMs: Number(timestampMs) };
  const position = parsePosition(text);
  return position === undefined || position === END ? undefined : { kind: 'AFTER', position };
}
