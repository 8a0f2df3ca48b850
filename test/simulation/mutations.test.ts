import { describe, expect, it } from 'vitest';
import { firstCatch } from './mutation-table.ts';
import { MUTATIONS } from './mutations.ts';
import type { InvariantName } from './verdict.ts';

const WITHIN_SEEDS = 200;

/** From which seed on it is looked for, and the promises that it may be seen to break first. */
const CAUGHT: Readonly<Record<string, readonly [from: number, ...InvariantName[]]>> = {
  'no-chain-check': [2, 'ChainKept', 'SlotExact'],
  'no-token': [2, 'ChainKept'],
  'checkpoint-before-settled': [1, 'CoversCheckpoint'],
  'no-advance': [1, 'Progress'],
  'age-survives-reconnect': [3, 'NothingSkipped'],
  'retry-with-new-bytes': [3, 'RetryKnown'],
  'no-dup-list': [2, 'FreshOnce'],
  'release-keeps-generation': [2, 'OneOwnerPerGeneration'],
  'force-keeps-generation': [5, 'OneOwnerPerGeneration'],
  'start-from-orders': [2, 'OneWriter'],
  'stale-orders-trusted': [2, 'OneWriter'],
  'no-checkpoint-version': [15, 'CheckpointNeverBack'],
  'version-used-twice': [24, 'CheckpointNeverBack'],
  'child-before-parent': [2, 'ParentsFirst'],
  'end-before-children': [8, 'NoHole'],
  'heartbeat-revives': [8, 'NoOrphan'],
};

describe('a deliberate bug', () => {
  it.each(Object.entries(MUTATIONS))(
    `is seen within ${WITHIN_SEEDS} seeds, by the promise that it breaks: %s`,
    async (name, mutation) => {
      const [from, ...invariants] = CAUGHT[name]!;

      const caught = await firstCatch(mutation, from, WITHIN_SEEDS);

      expect(invariants, caught?.violation?.what).toContain(caught?.violation?.invariant);
    },
  );
});
