/** What a start asks of its Redis. */
import { afterEach, describe, expect, it } from 'vitest';
import { createLedgerConnection, type LedgerConnection } from '../../../ledger/redis/connection.ts';
import { checkServer } from '../../../ledger/redis/server-check.ts';
import {
  hasRedisServer,
  type RedisServer,
  type RedisServerOptions,
  startRedisServer,
} from '../../support/redis-server.ts';

let server: RedisServer;
let connection: LedgerConnection;

async function connected(options: RedisServerOptions): Promise<LedgerConnection> {
  server = await startRedisServer(options);
  connection = createLedgerConnection({ url: server.url });
  return connection;
}

afterEach(async () => {
  connection.close();
  await server.stop();
});

describe('the check of the server', () => {
  it.skipIf(!hasRedisServer())('refuses a Redis that evicts, and says how to mend it', async () => {
    const check = checkServer(await connected({ args: ['--maxmemory-policy', 'allkeys-lru'] }));
    await expect(check).rejects.toThrow(/allkeys-lru.*CONFIG SET maxmemory-policy noeviction/s);
    await expect(check).rejects.toMatchObject({ code: 'StartRefused' });
  });

  it.skipIf(!hasRedisServer())('learns version, role and durability of a Redis that does not', async () => {
    const facts = await checkServer(await connected({ durable: true }));
    expect(facts).toMatchObject({ role: 'master', evictionPolicy: 'noeviction', appendFsync: 'everysec' });
    expect(facts).toMatchObject({ fsyncsDuringRewrite: true, replicas: 0, minReplicas: 0 });
    expect(facts.version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('takes what a small server does not tell as unknown', async () => {
    const facts = await checkServer(await connected({ kind: 'js-redis-server' }));
    expect(facts.evictionPolicy ?? 'noeviction').toBe('noeviction');
    expect(facts.appendFsync).not.toBe('always');
  });
});
