import { describe, expect, it } from 'vitest';
import { planBuckets, planNextBuckets } from '../../../../ledger/buckets.ts';
import { Layouts } from '../../../../worker/ledger/layouts.ts';
import { ledgerSpec } from '../../../support/ledger-builder.ts';

const spec = ledgerSpec();
/** A part of a batch that arrived at one moment. */
const partAt = (arrivalMs: number) => ({
  period: Math.floor(arrivalMs / spec.periodMs),
  firstArrivalMs: arrivalMs,
  lastArrivalMs: arrivalMs,
});

describe('what a commit claims of layouts', () => {
  it('names its own period first, then the neighbours within a horizon', () => {
    const layouts = new Layouts(spec, [{ period: 5, buckets: 7, identities: 100 }]);

    expect(layouts.claim(partAt(5 * spec.periodMs)).layouts).toEqual([
      { period: 5, buckets: 7 },
      { period: 4, buckets: undefined },
    ]);
  });

  it('plans the first period from what the settings expect', () => {
    expect(new Layouts(spec, []).claim(partAt(0)).newBuckets).toBe(planBuckets(spec.expectedIdentitiesPerSlot));
  });

  it('asks once how many identities the last period has when the next begins, and plans from the answer', () => {
    const layouts = new Layouts(spec, [{ period: 4, buckets: 7, identities: 0 }]);
    const part = partAt(5 * spec.periodMs);
    expect(layouts.claim(part).layouts[1]).toEqual({ period: 4, buckets: undefined });

    layouts.learn([
      { period: 5, buckets: undefined, identities: 0 },
      { period: 4, buckets: 7, identities: 90_000 },
    ]);
    const claim = layouts.claim(part);

    expect(claim).toEqual({
      layouts: [
        { period: 5, buckets: undefined },
        { period: 4, buckets: 7 },
      ],
      newBuckets: planNextBuckets(90_000),
    });
    layouts.accept(claim);
    expect(layouts.claim(part).layouts[0]).toEqual({ period: 5, buckets: planNextBuckets(90_000) });
  });

  it('never plans for fewer than expected: the last period may have been a short one', () => {
    const layouts = new Layouts(spec, [{ period: 4, buckets: 7, identities: 1 }]);
    const part = partAt(5 * spec.periodMs);
    layouts.claim(part);
    layouts.learn([{ period: 4, buckets: 7, identities: 1 }]);

    expect(planNextBuckets(1)).toBeLessThan(planBuckets(spec.expectedIdentitiesPerSlot));
    expect(layouts.claim(part).newBuckets).toBe(planBuckets(spec.expectedIdentitiesPerSlot));
  });

  it('keeps what it was told of a period long before the newest one, so that a shard that lags goes on', () => {
    const begun = [5, 100].map((period) => ({ period, buckets: 7, identities: 1 }));
    const layouts = new Layouts(spec, begun);
    const lagging = partAt(5 * spec.periodMs + spec.horizonMs);
    expect(layouts.claim(lagging).layouts[0]).toEqual({ period: 5, buckets: 7 });

    layouts.claim(partAt(100 * spec.periodMs));
    layouts.learn(begun);

    expect(layouts.claim(lagging).layouts[0]).toEqual({ period: 5, buckets: 7 });
  });
});
