/** Rights and TLS: the fleet gets along with the user that docs/redis.md makes, and with certificates of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { createLedgerConnection } from '../../../ledger/redis/connection.ts';
import { type Certificates, makeCertificates, textsOf } from '../../support/certificates.ts';
import { exerciseRedis } from '../../support/redis-exercise.ts';
import { canSpeakTls, hasRedisServer, startRedisServer } from '../../support/redis-server.ts';
import { documentedUser } from '../../support/redis-user.ts';

const FLEET = 'my-fleet';
const TOTALS = { f: 24, d: 3, x: 1, 'c:kind:a': 24, 'u:players': 1, 'u:devices': 1 };
const ended: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'redis-access-'));
  ended.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function serverWith(args: readonly string[] = []) {
  const server = await startRedisServer({ kind: 'redis-server', args });
  ended.push(() => server.stop());
  return server;
}

describe.runIf(hasRedisServer())('the user of docs/redis.md', () => {
  it('may do all that a fleet does, and needs every right that it has', async () => {
    const server = await serverWith();
    const admin = new Redis(server.url);
    ended.push(() => admin.disconnect());
    const rights = documentedUser('server', FLEET);
    await admin.call('ACL', ['SETUSER', ...rights]);
    await admin.config('RESETSTAT');
    await admin.acl('LOG', 'RESET');

    const url = server.url.replace('//', '//fleet:secret@');
    expect((await exerciseRedis({ url: `${url}/1` }, FLEET)).totals).toEqual(TOTALS);

    expect(await admin.acl('LOG')).toEqual([]);
    const used = new Set(
      [...(await admin.info('commandstats')).matchAll(/^cmdstat_([^:]+):/gm)].map(([, name]) => name),
    );
    const granted = rights.filter((right) => right.startsWith('+')).map((right) => right.slice(1));
    // Redis 6.2 counts the subcommands of a command as one.
    expect(granted.filter((name) => !used.has(name) && !used.has(name.replace(/\|.*/, '')))).toEqual([]);
    expect(granted.length).toBeGreaterThan(30);
  });

  it.each(['copy', 'scard'])('counts the same without the right to %s', async (right) => {
    const server = await serverWith();
    const admin = new Redis(server.url);
    ended.push(() => admin.disconnect());
    await admin.call('ACL', ['SETUSER', ...documentedUser('server', FLEET), `-${right}`]);
    const url = server.url.replace('//', '//fleet:secret@');
    expect((await exerciseRedis({ url }, FLEET)).totals).toEqual(TOTALS);
    expect(String(await admin.acl('LOG'))).toContain(`object,${right},`);
  });

  it('may touch nothing of others', async () => {
    const server = await serverWith();
    const admin = new Redis(server.url);
    await admin.call('ACL', ['SETUSER', ...documentedUser('server', FLEET)]);
    admin.disconnect();
    const user = new Redis(server.url.replace('//', '//fleet:secret@'));
    ended.push(() => user.disconnect());
    for (const forbidden of [
      () => user.hget('{other.0123.0}:rows', 'x'),
      () => user.eval("return redis.call('HSET', '{other.0123.0}:rows', 'x', 'y')", 0),
      () => user.publish('presence/other/w1', 'x'),
      () => user.flushall(),
      () => user.keys('*'),
      () => user.config('SET', 'maxmemory-policy', 'allkeys-lru'),
    ]) {
      await expect(forbidden()).rejects.toThrow(/NOPERM|can't access|No permissions to access a key/);
    }
  });
});

const hasTls = canSpeakTls();
if (!hasTls) process.stdout.write('no TLS is tested: openssl or a redis-server that was built with TLS is missing\n');

describe.runIf(hasTls)('a Redis that speaks TLS', () => {
  async function tlsServer(certificates: Certificates, clients: 'yes' | 'no') {
    const { ca, cert, key } = certificates;
    const server = await serverWith([
      ...['--tls-port', '0', '--tls-ca-cert-file', ca, '--tls-cert-file', cert, '--tls-key-file', key],
      ...['--tls-auth-clients', clients],
    ]);
    const admin = new Redis(server.url);
    const port = await freeTlsPort(admin);
    admin.disconnect();
    return `rediss://localhost:${port}`;
  }

  /** Opened beside the plain port, so that the test may ask in the clear. */
  async function freeTlsPort(admin: Redis): Promise<number> {
    for (let port = 20_000 + Math.floor(Math.random() * 20_000); ; port++) {
      const answer = await admin.config('SET', 'tls-port', String(port)).catch(() => 'taken');
      if (answer === 'OK') return port;
    }
  }

  it('is used by its certificate, signed by an authority of its own', async () => {
    const certificates = makeCertificates(folder());
    const url = await tlsServer(certificates, 'no');
    const tls = { ca: textsOf(certificates).ca, cert: undefined, key: undefined };
    expect((await exerciseRedis({ url, tls }, FLEET)).totals).toEqual(TOTALS);
  });

  it('is given a certificate of the fleet when it asks for one', async () => {
    const certificates = makeCertificates(folder());
    const url = await tlsServer(certificates, 'yes');
    expect((await exerciseRedis({ url, tls: textsOf(certificates) }, FLEET)).totals).toEqual(TOTALS);
  });

  it('is not used when nobody who is trusted signed its certificate, and the reason says so', async () => {
    const url = await tlsServer(makeCertificates(folder()), 'no');
    const stranger = textsOf(makeCertificates(folder())).ca;
    const connection = createLedgerConnection({
      url,
      tls: { ca: stranger, cert: undefined, key: undefined },
      deadlineMs: 400,
    });
    ended.push(() => connection.close());
    await expect(connection.ready()).rejects.toThrow(/CERT|certificate|SELF_SIGNED|UNABLE_TO_VERIFY/i);
  });
});
