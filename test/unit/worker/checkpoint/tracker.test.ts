import { describe, expect, it } from 'vitest';
import { CheckpointTracker } from '../../../../worker/checkpoint/tracker.ts';
import { Settling } from '../../../../worker/ledger/settling.ts';
import { at } from '../shard/shard-world.ts';

const covered = (n: number, stored?: { connection: number; answeredAtMs: number }) => ({ through: at(n), stored });

function tracker(): { readonly tracker: CheckpointTracker; readonly settling: Settling } {
  const settling = new Settling(1_000);
  settling.observe({ position: at(1), connection: 1, sentAtMs: 0, answeredAtMs: 0 });
  return { tracker: new CheckpointTracker(at(1), settling), settling };
}

describe('the safe checkpoint', () => {
  it('is the last batch end at or below what every slot has settled', () => {
    const { tracker: safe } = tracker();
    safe.cover(covered(5), 50);
    safe.cover(covered(9), 90);
    safe.advance(undefined);
    expect(safe.safe).toEqual({ position: at(1), arrivalMs: 0 });

    safe.advance(at(8));
    expect(safe.safe).toEqual({ position: at(5), arrivalMs: 50 });
    safe.advance(at(9));
    expect(safe.safe).toEqual({ position: at(9), arrivalMs: 90 });
    expect(safe.isComplete).toBe(true);
  });

  it('stays below a dead letter until that is settled, though the ledger is', () => {
    const { tracker: safe, settling } = tracker();
    safe.cover(covered(5), 50);
    safe.cover(covered(6, { connection: 1, answeredAtMs: 100 }), 60);
    safe.cover(covered(9), 90);
    safe.advance(at(9));
    expect(safe.safe.position).toBe(at(5));

    settling.observe({ position: at(9), connection: 1, sentAtMs: 1_100, answeredAtMs: 1_110 });
    expect(safe.advance(at(9))).toBe('kept');
    expect(safe.safe.position).toBe(at(9));
  });

  it('says so when a dead letter was lost with its connection', () => {
    const { tracker: safe, settling } = tracker();
    safe.cover(covered(6, { connection: 1, answeredAtMs: 100 }), 60);
    settling.observe({ position: at(9), connection: 2, sentAtMs: 5_000, answeredAtMs: 5_010 });

    expect(safe.advance(at(9))).toBe('lost');
    expect(safe.safe.position).toBe(at(1));
  });

  it('takes over the arrival mark of an idle shard at the tip, once what was read is safe', () => {
    const { tracker: safe } = tracker();
    safe.cover(covered(5), 50);
    safe.cover(covered(5), 70);
    expect(safe.safe.arrivalMs).toBe(0);
    safe.advance(at(5));
    expect(safe.safe.arrivalMs).toBe(70);

    safe.cover(covered(5), 80);
    expect(safe.safe.arrivalMs).toBe(80);
  });

  it('keeps a bounded memory, and gets to the end all the same', () => {
    const { tracker: safe } = tracker();
    for (let n = 2; n <= 2_000; n++) safe.cover(covered(n), n);
    safe.advance(at(1_500));
    expect(safe.safe.position > at(700)).toBe(true);
    expect(safe.safe.position <= at(1_500)).toBe(true);

    safe.advance(at(2_000));
    expect(safe.safe).toEqual({ position: at(2_000), arrivalMs: 2_000 });
  });
});
