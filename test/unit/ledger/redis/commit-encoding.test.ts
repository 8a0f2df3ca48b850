import { describe, expect, it } from 'vitest';
import { encodeCommit } from '../../../../ledger/redis/commit-encoding.ts';
import { FleetError } from '../../../../runtime/errors.ts';
import { commitRequest, ledgerSpec } from '../../../support/ledger-builder.ts';

describe('an encoded commit', () => {
  it('has the very same bytes at each attempt', () => {
    const request = commitRequest({
      copies: [
        { at: 1, id: 2 ** 52 - 1 },
        { at: 2, id: 0 },
      ],
      furtherAt: [3],
    });
    expect(encodeCommit(ledgerSpec(), request)).toEqual(encodeCommit(ledgerSpec(), request));
  });

  it('declares every key it touches, all under the tag of the slot', () => {
    const copies = [
      { at: 1, id: 1, bucketKey: 0 },
      { at: 2, id: 2, bucketKey: 100 },
    ];
    const layouts = [
      { period: 4, buckets: 4 },
      { period: 3, buckets: 2 },
      { period: 5, buckets: undefined },
    ];
    const uniques = [{ unique: 'players', set: '7', counter: 'u:players', members: new Uint8Array(8) }];
    const request = commitRequest({ slot: 0, shard: 's', copies, layouts, uniques });
    expect(encodeCommit(ledgerSpec({ name: 'f.d' }), request).keys).toEqual([
      '{f.d.0}:rows',
      '{f.d.0}:dup:s',
      '{f.d.0}:p',
      '{f.d.0}:n',
      '{f.d.0}:job',
      '{f.d.0}:was',
      '{f.d.0}:id:4:0',
      '{f.d.0}:id:4:1',
      '{f.d.0}:id:3:0',
      '{f.d.0}:id:3:0',
      '{f.d.0}:u:players:7',
    ]);
  });

  it('writes ids as sixteen digits from 10^15 on', () => {
    const copies = [0, 99_999_999, 2 ** 52 - 1, 7].map((id, i) => ({ at: i + 1, id, bucketKey: i < 3 ? 0 : 100 }));
    const { args } = encodeCommit(ledgerSpec(), commitRequest({ copies }));
    const grouped = args[10] as Buffer;
    const texts = [0, 1, 2].map((i) => grouped.toString('latin1', 5 + i * 17 + 1, 5 + (i + 1) * 17));
    expect(texts).toEqual(['1000000000000000', '1000000099999999', '5503599627370495']);
    expect((args[12] as Buffer).toString('latin1')).toBe('1000000000000007');
  });

  it('refuses identities without the layout of their period', () => {
    const request = commitRequest({ copies: [{ at: 1, id: 1 }], layouts: [] });
    expect(() => encodeCommit(ledgerSpec(), request)).toThrow(FleetError);
  });
});
