import { describe, expect, it } from 'vitest';
import { START } from '../../../../lease/position.ts';
import { CheckpointBook } from '../../../../worker/checkpoint/checkpoint-book.ts';
import { Checkpointer } from '../../../../worker/checkpoint/checkpointer.ts';
import { Waiting } from '../../../../worker/ledger/waiting.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { FakeLeaseStore } from '../../../support/fake-lease-store.ts';
import { buildLease } from '../../../support/lease-builder.ts';
import { at } from '../shard/shard-world.ts';

const EVERY_MS = 5_000;

function bench() {
  const clock = new FakeClock();
  const store = new FakeLeaseStore();
  const lease = buildLease({ owner: 'me', generation: 3, checkpointVersion: 7, ledgerId: 'ledger' });
  store.put(lease);
  const book = new CheckpointBook();
  const abort = new AbortController();
  const make = (isBound = true): Checkpointer =>
    new Checkpointer({
      ...{ store, clock, everyMs: EVERY_MS, signal: abort.signal, onWritten: () => undefined },
      owned: { key: lease.key, workerId: 'me', generation: 3 },
      waiting: new Waiting(clock),
      page: book.pageOf(lease.key, 3, store.peek(lease.key)!.checkpointVersion),
      from: START,
      binding: isBound ? undefined : { ledgerId: 'ledger', start: { kind: 'AT_TIMESTAMP', timestampMs: 5 } },
    });
  const row = () => store.peek(lease.key)!;
  return { clock, store, make, row, abort };
}

describe('the checkpointer', () => {
  it('writes at its interval, when the position moved, with the next version', async () => {
    const { clock, make, row, store } = bench();
    const checkpointer = make();
    checkpointer.offer(at(5), true);
    await clock.advance(EVERY_MS);
    expect(store.faults.calls).toEqual([]);

    checkpointer.offer(at(6), true);
    await clock.flush();
    await clock.advance(EVERY_MS);
    checkpointer.offer(at(6), true);
    await clock.flush();

    expect(row()).toMatchObject({ checkpoint: { kind: 'AFTER', position: at(6) }, checkpointVersion: 8 });
    expect(store.faults.calls).toEqual(['checkpoint']);
    expect(checkpointer.acknowledged).toBe(at(6));
  });

  it('repeats a throttled write with the same version and does not make the loop wait', async () => {
    const { clock, make, row, store } = bench();
    const checkpointer = make();
    store.faults.fail('checkpoint', 'after');
    store.faults.fail('checkpoint', 'before', 3);
    await clock.advance(EVERY_MS);

    checkpointer.offer(at(5), true);
    checkpointer.offer(at(9), true);
    await clock.runUntil(checkpointer.idle());

    expect(store.faults.calls).toHaveLength(5);
    expect(row()).toMatchObject({ checkpoint: { position: at(5) }, checkpointVersion: 8 });
  });

  it('throws once another owner was found, and writes nothing after it', async () => {
    const { clock, make, row, store } = bench();
    const checkpointer = make();
    store.put({ ...row(), generation: 4, owner: 'other' });
    await clock.advance(EVERY_MS);
    checkpointer.offer(at(5), true);
    await clock.flush();

    expect(() => checkpointer.offer(at(9), true)).toThrow(expect.objectContaining({ code: 'RightLost' }));
    await expect(checkpointer.flush(at(9), true)).rejects.toThrow(expect.objectContaining({ code: 'RightLost' }));
    expect(store.faults.calls).toEqual(['checkpoint']);
  });

  it('binds the lease to its ledger once the rows are settled, before the first checkpoint', async () => {
    const { clock, make, row, store } = bench();
    store.put(buildLease({ ...row(), generation: 3 }));
    const checkpointer = make(false);
    checkpointer.offer(START, false);
    await clock.flush();
    expect(store.faults.calls).toEqual([]);

    checkpointer.offer(START, true);
    await clock.runUntil(checkpointer.idle());
    await checkpointer.flush(at(4), true);

    expect(store.faults.calls).toEqual(['bind', 'checkpoint']);
    expect(row().ledgerStart).toBe('AT_TIMESTAMP:5');
  });

  it('never uses a version for two contents, nor goes below what it tried, after a restart in the same generation', async () => {
    const { clock, make, row, store } = bench();
    const first = make();
    store.faults.fail('checkpoint', 'hang');
    await clock.advance(EVERY_MS);
    first.offer(at(9), true);
    await clock.flush();

    const second = make();
    await second.flush(at(5), true);
    expect(store.faults.calls).toEqual(['checkpoint']);
    await second.flush(at(9), true);
    expect(row()).toMatchObject({ checkpoint: { position: at(9) }, checkpointVersion: 9 });
  });
});
