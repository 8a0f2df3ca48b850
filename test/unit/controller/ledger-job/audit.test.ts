import { describe, expect, it } from 'vitest';
import { auditRows, outlivedRows } from '../../../../controller/ledger-job/audit.ts';
import type { Lease } from '../../../../lease/lease.ts';
import { END, type Position, positionOf, START } from '../../../../lease/position.ts';
import type { LedgerRow } from '../../../../ledger/ledger.ts';
import { buildLease } from '../../../support/lease-builder.ts';

const LEDGER = 'fleet.digest';
const at = (n: number): Position => positionOf(String(n));
const lease = (key: string, checkpoint: Lease['checkpoint'], ledgerId: string | undefined = LEDGER): Lease =>
  buildLease({ key, shardId: key, checkpoint, ...(ledgerId === undefined ? {} : { ledgerId }) });
const rows = (positions: Readonly<Record<string, Position>>): ReadonlyMap<string, LedgerRow> =>
  new Map(
    Object.entries(positions).map(([key, position]) => [
      key,
      { generation: 1, position, token: '-', floor: START, arrivalMs: 0, watermarkMs: 0 },
    ]),
  );
const past = (n: number): Lease['checkpoint'] => ({ kind: 'AFTER', position: at(n) });

describe('the audit', () => {
  it('finds shards that any slot has behind their checkpoint, and which of them nobody reads', () => {
    const leases = [lease('well', past(5)), lease('idle', past(5)), lease('finished', { kind: 'SHARD_END' })];
    const slots = [
      rows({ well: at(5), idle: at(9), finished: END }),
      rows({ well: at(7), idle: at(4), finished: at(3) }),
    ];
    expect(auditRows(LEDGER, leases, slots)).toEqual({
      ...{ behind: ['idle', 'finished'], finishedBehind: ['finished'], lostSlots: [] },
    });
  });

  it('finds slots without a row of a bound lease, and minds no lease that is not bound to this ledger', () => {
    const leases = [
      lease('bound', { kind: 'TRIM_HORIZON' }),
      buildLease({ key: 'new', shardId: 'new' }),
      lease('other', past(9), 'fleet.other'),
    ];
    expect(auditRows(LEDGER, leases, [rows({ bound: START }), rows({})])).toMatchObject({ behind: [], lostSlots: [1] });
  });
});

describe('rows of shards that are no more', () => {
  const isOfStream = (key: string): boolean => key.startsWith('now');
  const outlived = (slots: Parameters<typeof outlivedRows>[0], leases: string[], listed: string[]): string[] =>
    outlivedRows(slots, new Set(leases), isOfStream, (key) => listed.includes(key));

  it('go when lease and shard are gone and they are at their end in every slot', () => {
    const slots = [rows({ 'now-1': END, 'now-2': END, 'now-3': END }), rows({ 'now-1': END, 'now-2': at(3) })];
    expect(outlived(slots, [], ['now-3'])).toEqual(['now-1']);
    expect(outlived(slots, ['now-1'], [])).toEqual(['now-3']);
  });

  it('go wherever they are when their stream is no more', () => {
    expect(outlived([rows({ 'old-1': at(3) })], [], [])).toEqual(['old-1']);
    expect(outlived([rows({ 'old-1': at(3) })], ['old-1'], [])).toEqual([]);
  });
});
