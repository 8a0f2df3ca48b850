/** The contract against our own server, which has no deviations. */
import { describe, expect, it } from 'vitest';
import { DEVIATIONS } from './deviations.ts';
import { CASES, describeKinesisContract } from './kinesis-suite.ts';

describeKinesisContract('local');

describe('the table of deviations', () => {
  it('names only cases of the contract, and none for our own server', () => {
    const ids = new Set(CASES.map((contractCase) => contractCase.id));
    const named = Object.values(DEVIATIONS).flatMap((byCase) => Object.keys(byCase));
    expect(ids.size).toBe(CASES.length);
    expect(named.filter((id) => !ids.has(id))).toEqual([]);
    expect(Object.keys(DEVIATIONS.local)).toEqual([]);
  });
});
