import { describe, expect, it } from 'vitest';
import { firstCatch } from './mutation-table.ts';
import { MUTATIONS } from './mutations.ts';
import type { InvariantName } from './verdict.ts';

const WITHIN_SEEDS = 200;

/** From which seed on it is looked for, and the promises that it may be seen to break first. */
const CAUGHT: Readonly<Record<string, readonly [from: number, ...InvariantName[]]>> = {
  'no-chain-check': [2, 'ChainKept', 'SlotExact'],
  'no-token': [1, 'ChainKept'],
  'checkpoint-before-settled': [1, 'CoversCheckpoint'],
  'no-advance': [1, 'Progress'],
  'age-survives-reconnect': [9, 'NothingSkipped'],
  'retry-with-new-bytes': [1, 'RetryKnown'],
  'no-dup-list': [1, 'FreshOnce'],
  'release-keeps-generation': [1, 'OneOwnerPerGeneration'],
  'force-keeps-generation': [1, 'OneOwnerPerGeneration'],
  'start-from-orders': [1, 'OneWriter'],
  'stale-orders-trusted': [1, 'OneWriter'],
  'no-checkpoint-version': [7, 'CheckpointNeverBack'],
  'version-used-twice': [102, 'CheckpointNeverBack'],
  'child-before-parent': [5, 'ParentsFirst'],
  'end-before-children': [3, 'NoHole'],
  'heartbeat-revives': [1, 'NoOrphan'],
  'heal-every-slot': [2, 'SlotExact'],
  'finished-not-healed': [8, 'Progress'],
  'forget-by-fastest': [6, 'FreshOnce', 'SlotExact'],
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
