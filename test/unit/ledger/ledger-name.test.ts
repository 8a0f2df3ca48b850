import { describe, expect, it } from 'vitest';
import { type LedgerIdentity, ledgerName } from '../../../ledger/ledger-name.ts';
import { StartRefused } from '../../../runtime/errors.ts';

const IDENTITY: LedgerIdentity = {
  fleet: 'logins',
  identityFields: ['player_id', 'time'],
  identityTime: 'time',
  slotKey: 'player_id',
  slots: 1,
  periodMs: 2,
  horizonMs: 1,
};

describe("a ledger's name", () => {
  it('is the fleet and a digest, the same for the same settings', () => {
    expect(ledgerName(IDENTITY)).toMatch(/^logins\.[0-9a-f]{12}$/);
    expect(ledgerName({ ...IDENTITY })).toBe(ledgerName(IDENTITY));
  });

  it('changes with everything that decides what is remembered, and where', () => {
    const changes: Partial<LedgerIdentity>[] = [
      { fleet: 'other' },
      { identityFields: ['time', 'player_id'] },
      { identityFields: ['player_id,time'] },
      { identityTime: undefined },
      { slotKey: 'time' },
      { slots: 2 },
      { periodMs: 3 },
      { horizonMs: 2 },
    ];
    const names = [{}, ...changes].map((change) => ledgerName({ ...IDENTITY, ...change }));
    expect(new Set(names).size).toBe(changes.length + 1);
  });

  it('refuses a fleet whose name would break the tag of a slot', () => {
    for (const fleet of ['', 'a{b', 'a}b', 'a b']) {
      expect(() => ledgerName({ ...IDENTITY, fleet })).toThrow(StartRefused);
    }
  });
});
