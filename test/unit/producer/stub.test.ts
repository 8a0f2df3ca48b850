/** The benchmark's records are real logins: new ones but for a known share. */
import { describe, expect, it } from 'vitest';
import { createLoginStub, STUB_RECORD_BYTES } from '../../../producer/stub.ts';
import { decode, show } from '../../support/decoded-logins.ts';

describe('the login stub', () => {
  it('gives decodable logins of 124 bytes, all new but the share that was asked for', () => {
    const next = createLoginStub({
      recordsPerBatch: 500,
      duplicateShare: 0.01,
      startMs: 1_790_000_000_999,
      players: 700,
    });
    const seen = new Set<string>();
    const players = new Set<string>();
    for (let batch = 0; batch < 4; batch++) {
      const { bytes, count } = next();
      const records = Array.from({ length: count }, (_, i) =>
        bytes.slice(i * STUB_RECORD_BYTES, (i + 1) * STUB_RECORD_BYTES),
      );
      const decoded = decode(records);
      records.forEach((_, i) => {
        const shown = show(decoded, i);
        if (typeof shown === 'string') throw new Error(shown);
        expect(shown).toMatchObject({ format: 'LoginMessageV2', country: expect.stringMatching(/^[A-Z]{2}$/) });
        seen.add(`${shown.timestamp} ${shown.player_id}`);
        players.add(shown.player_id!);
      });
    }

    expect(seen.size).toBe(2000 - 20);
    expect(players.size).toBe(700);
    expect([...seen].some((identity) => identity.startsWith('1790000001.'))).toBe(true);
  });
});
