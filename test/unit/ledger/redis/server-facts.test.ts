import { describe, expect, it } from 'vitest';
import { parseInfo, refusalOf, type ServerFacts, weakestOf } from '../../../../ledger/redis/server-facts.ts';

const INFO = 'redis_version:7.0.15\r\nredis_mode:standalone\r\nrole:master\r\nmaxmemory_policy:noeviction\r\n';

const facts = (overrides: Partial<ServerFacts> = {}): ServerFacts => ({
  ...{ version: '7.0.15', role: 'master', evictionPolicy: 'noeviction', appendFsync: 'always' },
  ...{ fsyncsDuringRewrite: true, replicas: 1, minReplicas: 1, minReplicasMaxLagSeconds: 2 },
  ...overrides,
});

describe('a Redis for the ledger', () => {
  it('is not refused when it is well, nor when it tells nothing', () => {
    expect(refusalOf(parseInfo(INFO), true)).toBeUndefined();
    expect(refusalOf(parseInfo(''), true)).toBeUndefined();
  });

  it.each([
    ['redis_version:6.0.9', /6\.0\.9 is too old.*6\.2/],
    ['maxmemory_policy:volatile-lru', /volatile-lru.*noeviction/s],
    ['redis_mode:cluster', /redis\+cluster:/],
    ['redis_mode:sentinel', /redis\+sentinel:/],
    ['server_mode:cluster', /redis\+cluster:/],
  ])('is refused, with how to mend it: %s', (line, words) => {
    expect(refusalOf(parseInfo(line), true)?.message).toMatch(words);
  });

  it('may be a node of a Cluster when the URL says that it is one', () => {
    expect(refusalOf(parseInfo('redis_mode:cluster'), false)).toBeUndefined();
  });
});

describe('several primaries', () => {
  it('are as durable as the weakest of them', () => {
    const others = { replicas: 0, minReplicas: 0, minReplicasMaxLagSeconds: 10, fsyncsDuringRewrite: false };
    expect(weakestOf([facts(), facts({ appendFsync: 'everysec', ...others })])).toEqual(
      facts({ appendFsync: 'everysec', ...others, replicas: 1 }),
    );
  });

  it.each([
    [['always', undefined], undefined],
    [['no', undefined], 'no'],
    [[undefined, 'off', 'no'], 'off'],
  ])('of which nobody tells are unknown, unless one is known to be weak: %j', (told, weakest) => {
    expect(weakestOf(told.map((appendFsync) => facts({ appendFsync }))).appendFsync).toBe(weakest);
  });

  it('are unknown where one of them tells nothing', () => {
    const all = [facts(), facts({ evictionPolicy: undefined, replicas: undefined })];
    expect(weakestOf(all)).toMatchObject({ evictionPolicy: undefined, replicas: undefined, minReplicas: 1 });
  });
});
