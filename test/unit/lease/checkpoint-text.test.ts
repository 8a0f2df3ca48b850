import { describe, expect, it } from 'vitest';
import { checkpointText, parseCheckpointText } from '../../../lease/checkpoint-text.ts';
import { type Checkpoint, END, positionOf } from '../../../lease/position.ts';

const CHECKPOINTS: readonly Checkpoint[] = [
  { kind: 'TRIM_HORIZON' },
  { kind: 'LATEST' },
  { kind: 'SHARD_END' },
  { kind: 'AT_TIMESTAMP', timestampMs: 1_790_000_000_123 },
  { kind: 'AFTER', position: positionOf('49671246667567228643283430150187087032206582658790195202', 41) },
];

describe('the text of a checkpoint', () => {
  it.each(CHECKPOINTS)('of kind $kind is read as it was written', (checkpoint) => {
    expect(parseCheckpointText(checkpointText(checkpoint))).toEqual(checkpoint);
  });

  it.each(['', 'NOW', 'AT_TIMESTAMP', 'AT_TIMESTAMP:x', '12', END])('is not %j', (text) => {
    expect(parseCheckpointText(text)).toBeUndefined();
  });
});
