import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../../../runtime/logger.ts';
import { FlowCounts } from '../../../../worker/shard/flow-counts.ts';
import { Trimming, trimmedGapMs } from '../../../../worker/shard/trimming.ts';

const trim = { after: 'p', oldestLeftMs: 10_000_000, horizonMs: 9_000_000 };

describe('records trimmed before anybody read them', () => {
  it('are those that arrived between what was certainly read and the oldest left', () => {
    expect(trimmedGapMs(trim, 4_000_000)).toBe(6_000_000);
  });

  it('are none of a shard that was read up to what is still kept: an idle one', () => {
    expect(trimmedGapMs(trim, 9_060_000)).toBeUndefined();
    expect(trimmedGapMs(trim, 9_059_999)).toBe(940_001);
  });

  it('are assumed when nobody knows how far it was read, or how long records are kept', () => {
    expect(trimmedGapMs(trim, 0)).toBe(0);
    expect(trimmedGapMs({ ...trim, horizonMs: undefined }, 9_500_000)).toBe(500_000);
  });

  it('are counted once per opening', () => {
    const counts = new FlowCounts();
    const trimming = new Trimming(silentLogger, counts);
    const status = { trim } as never;
    const shard = { source: { status: () => status }, ledger: { lowestArrivalMs: 4_000_000 } };

    trimming.look(shard);
    trimming.look(shard);

    expect([counts.trims, counts.trimmedMs]).toEqual([1, 6_000_000]);
  });
});
