import { describe, expect, it } from 'vitest';
import { judge, verdictText } from '../../../../local/demo/verdict.ts';

const TRUTH = {
  ...{ records: 10, fresh: 8, duplicate: 1, undecodable: 1 },
  formats: { LoginMessageV1: 3, LoginMessageV2: 5 },
  uniquePlayers: 4,
  uniquePlayersByCountry: { DE: 1, FR: 1, US: 1, JP: 1, BR: 1 },
};

describe('the verdict of the demo', () => {
  it('is equal when every figure is', () => {
    expect(judge(TRUTH, structuredClone(TRUTH)).equal).toBe(true);
  });

  it.each([
    ['a figure', { ...TRUTH, fresh: 9 }],
    ['a value of a figure', { ...TRUTH, formats: { LoginMessageV1: 4, LoginMessageV2: 4 } }],
    ['one of many values', { ...TRUTH, uniquePlayersByCountry: { ...TRUTH.uniquePlayersByCountry, DE: 2 } }],
    [
      'two of many values that add up to the same',
      { ...TRUTH, uniquePlayersByCountry: { DE: 2, FR: 0, US: 1, JP: 1, BR: 1 } },
    ],
    [
      'a value that the producer never made',
      { ...TRUTH, uniquePlayersByCountry: { ...TRUTH.uniquePlayersByCountry, XX: 1 } },
    ],
  ])('is unequal when %s differs', (_, counted) => {
    const verdict = judge(TRUTH, counted);
    expect(verdict.equal).toBe(false);
    expect(verdictText(verdict, [])).toContain('DIFFERS BY');
  });

  it('says which fault did not strike', () => {
    const text = verdictText(judge(TRUTH, TRUTH), [{ fault: 'kill -9', struck: false, evidence: 'nobody died' }]);
    expect(text).toContain('MISSED  kill -9: nobody died');
  });
});
