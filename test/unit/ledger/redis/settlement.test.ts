import { describe, expect, it } from 'vitest';
import type { ServerFacts } from '../../../../ledger/redis/server-facts.ts';
import { settlementOf } from '../../../../ledger/redis/settlement.ts';

const facts = (overrides: Partial<ServerFacts> = {}): ServerFacts => ({
  ...{ version: '7.0.15', role: 'master', evictionPolicy: 'noeviction', appendFsync: 'always' },
  ...{ fsyncsDuringRewrite: true, replicas: 0, minReplicas: 0, minReplicasMaxLagSeconds: 10 },
  ...overrides,
});

describe('settling', () => {
  it('is by the answer alone where each write is on disk before it, and nothing can take the server’s place', () => {
    expect(settlementOf(facts(), 0)).toMatchObject({ mode: 'confirmed', settleMs: 0, warnings: [] });
  });

  it('is by the answer where the replicas confirm each write too, and says so', () => {
    const { mode, because } = settlementOf(facts({ replicas: 2 }), 0);
    expect({ mode, because }).toEqual({
      ...{ mode: 'confirmed', because: expect.stringMatching(/appendfsync always and 2 replica.*\(WAIT\)/) },
    });
  });

  it.each([
    ['writes every second', { appendFsync: 'everysec' }, /appendfsync everysec/],
    ['keeps nothing', { appendFsync: 'off' }, /no append-only file/],
    ['suspends fsync during a rewrite', { fsyncsDuringRewrite: false }, /no-appendfsync-on-rewrite no/],
  ])('by the answer alone is refused on a server that %s', (_, overrides, words) => {
    expect(() => settlementOf(facts(overrides), 0)).toThrow(words);
  });

  it('by the answer alone is warned of where nobody tells', () => {
    expect(settlementOf(facts({ appendFsync: undefined }), 0).warnings).toHaveLength(1);
  });

  it('is by time elsewhere, and says in words why', () => {
    expect(settlementOf(facts({ appendFsync: 'everysec' }), 2_000)).toEqual({
      ...{ mode: 'time', settleMs: 2_000, because: 'appendfsync everysec', warnings: [] },
    });
  });

  it.each([
    ['shorter than what everysec may lose', { appendFsync: 'everysec' }, 1_000, /may lose two seconds/],
    ['whatever it is where the kernel decides', { appendFsync: 'no' }, 2_000, /half a minute/],
    ['whatever it is where nothing is on disk', { appendFsync: 'off' }, 2_000, /loses the ledger/],
    ['shorter than a primary may be cut off', { replicas: 2 }, 2_000, /min-replicas-to-write 1/],
  ])('by time warns when that is %s', (_, overrides, settleMs, words) => {
    expect(settlementOf(facts(overrides), settleMs).warnings.join()).toMatch(words);
  });
});
