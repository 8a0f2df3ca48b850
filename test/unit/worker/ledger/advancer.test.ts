import { describe, expect, it } from 'vitest';
import { START } from '../../../../lease/position.ts';
import { type AdvanceRequest, type Ledger, LedgerUnavailable } from '../../../../ledger/ledger.ts';
import { createReferenceLedger, emptyReferenceState } from '../../../../ledger/reference.ts';
import { silentLogger } from '../../../../runtime/logger.ts';
import { Advancer } from '../../../../worker/ledger/advancer.ts';
import { openShardLedger, type ShardLedger } from '../../../../worker/ledger/shard-ledger.ts';
import { Waiting } from '../../../../worker/ledger/waiting.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { ledgerSpec } from '../../../support/ledger-builder.ts';
import { at } from '../shard/shard-world.ts';
import { batchOf } from './identified.ts';

const MARKS = { floor: START, arrivalMs: 0 };
const SETTLE_MS = 2_000;
const live = new AbortController().signal;

async function bench(shards: number) {
  const clock = new FakeClock();
  const spec = ledgerSpec({ slots: 2 });
  const state = emptyReferenceState(2);
  const reference = createReferenceLedger(spec, state);
  const calls: { readonly slot: number; readonly requests: readonly AdvanceRequest[] }[] = [];
  const fault = { failures: 0 };
  const ledger: Ledger = {
    ...reference,
    advance: async (slot, requests) => {
      calls.push({ slot, requests });
      const answers = await reference.advance(slot, requests);
      if (fault.failures-- > 0) throw new LedgerUnavailable('deadline', undefined);
      return answers;
    },
  };
  const waiting = new Waiting(clock);
  const opened: ShardLedger[] = [];
  for (let i = 0; i < shards; i++) {
    const parts = { ledger, spec, settleMs: SETTLE_MS, clock, waiting, shard: `shard-${i}`, generation: 1 };
    const opening = await openShardLedger(parts, START, live);
    if (opening.kind === 'opened') opened.push(opening.ledger);
  }
  const advancing = { ledger, spec, settleMs: SETTLE_MS, clock, logger: silentLogger, waiting: new Waiting(clock) };
  const advancer = new Advancer(advancing);
  for (const shard of opened) advancer.add(shard);
  const stop = new AbortController();
  const running = advancer.run(stop.signal);
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  return { clock, state, calls, fault, opened, waiting, advancer, end };
}

describe("the worker's advancer", () => {
  it('carries all shards in one call per slot and settle', async () => {
    const { clock, calls, end } = await bench(3);

    await clock.advance(4 * SETTLE_MS + 100);
    await end();

    expect(calls.map(({ slot, requests }) => [slot, requests.length])).toEqual(
      [1, 2, 3]
        .flatMap(() => [
          [0, 3],
          [1, 3],
        ])
        .concat([
          [0, 3],
          [1, 3],
        ]),
    );
  });

  it('moves rows that records did not touch to the read position, and so lets them settle', async () => {
    const { clock, state, opened, end } = await bench(1);
    await opened[0]!.judge(batchOf([{ at: 1, id: 2 }], 2), MARKS, live);
    expect(state.slots[1]!.rows.get('shard-0')?.position).toBe(START);

    await clock.advance(3 * SETTLE_MS + 100);
    await end();

    expect(state.slots[1]!.rows.get('shard-0')?.position).toBe(at(1));
    expect(opened[0]!.settled).toBe(at(1));
  });

  it('repeats an unanswered advance until it is answered, and commits wait for it', async () => {
    const { clock, calls, fault, opened, state, end } = await bench(1);
    await opened[0]!.judge(batchOf([{ at: 1, id: 2 }], 2), MARKS, live);
    fault.failures = 3;
    await clock.advance(SETTLE_MS + 20);

    await clock.runUntil(opened[0]!.judge(batchOf([{ at: 2, id: 3 }], 2), MARKS, live));
    await end();

    const ofSlot1 = calls.filter(({ slot }) => slot === 1).map(({ requests }) => requests[0]);
    expect(ofSlot1[1]).toBe(ofSlot1[0]);
    expect(state.slots[1]!.rows.get('shard-0')?.position).toBe(at(2));
    expect(state.slots[1]!.counters.get('f')).toBe(1);
  });

  it('shows its attempts as those of a shard that waits for it: an outage of Redis is no loop that hangs', async () => {
    const { clock, fault, opened, waiting, end } = await bench(1);
    fault.failures = Number.POSITIVE_INFINITY;
    await clock.advance(SETTLE_MS + 20);
    const sinceMs = clock.monotonicMs();
    await clock.advance(10_000);
    expect(waiting.lastAttemptMs).toBeLessThanOrEqual(sinceMs);

    const judging = opened[0]!.judge(batchOf([{ at: 1, id: 2 }], 2), MARKS, live);
    await clock.advance(300_000);

    expect(clock.monotonicMs() - waiting.lastAttemptMs).toBeLessThan(5_000);
    fault.failures = 0;
    await clock.runUntil(judging);
    await end();
  });

  it('notices a lost tail of an idle shard', async () => {
    const { clock, state, opened, end } = await bench(1);
    const kept = structuredClone(state.slots[0]!);
    await opened[0]!.judge(batchOf([{ at: 1, id: 2 }], 2), MARKS, live);
    state.slots[0] = kept;

    await clock.advance(2 * SETTLE_MS);
    await end();

    await expect(opened[0]!.judge(batchOf([], 2), MARKS, live)).rejects.toThrow(
      expect.objectContaining({ code: 'RowWentStale' }),
    );
  });

  it('sends nothing for a shard that was closed', async () => {
    const { clock, calls, opened, end } = await bench(2);
    opened[0]!.close();

    await clock.advance(SETTLE_MS + 100);
    await end();

    expect(calls.map(({ requests }) => requests.map(({ shard }) => shard))).toEqual([['shard-1'], ['shard-1']]);
  });
});
