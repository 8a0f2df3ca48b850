import { describe, expect, it } from 'vitest';
import { Settling } from '../../../../worker/ledger/settling.ts';
import { at } from '../shard/shard-world.ts';

const SETTLE_MS = 1_000;

/** A call that was sent at a time and answered 10 ms later. */
function answer(n: number, sentAtMs: number, connection = 1) {
  return { position: at(n), connection, sentAtMs, answeredAtMs: sentAtMs + 10 };
}

describe('a settled position', () => {
  it('needs a later call on the row that was sent settle after its answer came', () => {
    const settling = new Settling(SETTLE_MS);
    settling.observe(answer(5, 0));
    settling.observe(answer(5, 1_009));
    expect(settling.settled).toBeUndefined();

    settling.observe(answer(5, 1_010));
    expect(settling.settled).toBe(at(5));
  });

  it('is the newest that is old enough, not the newest', () => {
    const settling = new Settling(SETTLE_MS);
    settling.observe(answer(5, 0));
    settling.observe(answer(6, 500));
    settling.observe(answer(7, 1_200));

    expect(settling.settled).toBe(at(5));
  });

  it('waits anew after a reconnect, and stays where it was meanwhile', () => {
    const settling = new Settling(SETTLE_MS);
    settling.observe(answer(5, 0));
    settling.observe(answer(6, 1_010));
    settling.observe(answer(6, 2_500, 2));
    expect(settling.settled).toBe(at(5));

    settling.observe(answer(6, 3_509, 2));
    expect(settling.settled).toBe(at(5));
    settling.observe(answer(6, 3_510, 2));
    expect(settling.settled).toBe(at(6));
  });

  it('comes with the answer when Redis confirms every write', () => {
    const settling = new Settling(0);
    settling.observe(answer(5, 0));

    expect(settling.settled).toBe(at(5));
  });

  it('is reached under a steady flow of commits, however dense', () => {
    const settling = new Settling(SETTLE_MS);
    for (let n = 1; n <= 5_000; n++) settling.observe(answer(n, n));

    expect(settling.settled! > at(3_800)).toBe(true);
    expect(settling.settled! <= at(3_990)).toBe(true);
  });
});

describe('a write beside the row', () => {
  it('settles by the calls on the row, and is lost when the connection went first', () => {
    const settling = new Settling(SETTLE_MS);
    settling.observe(answer(1, 0));
    const stored = { connection: 1, answeredAtMs: 100 };
    expect(settling.outcomeOf(stored)).toBe('pending');
    settling.observe(answer(1, 1_099));
    expect(settling.outcomeOf(stored)).toBe('pending');
    expect(settling.outcomeOf({ connection: 2, answeredAtMs: 100 })).toBe('pending');

    settling.observe(answer(1, 1_100));
    expect(settling.outcomeOf(stored)).toBe('settled');
    settling.observe(answer(1, 1_200, 2));
    expect(settling.outcomeOf(stored)).toBe('lost');
  });
});
