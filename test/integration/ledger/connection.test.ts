/** The ledger while its Redis restarts, hangs, fills up or refuses. */
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { START } from '../../../lease/position.ts';
import { type Ledger, type LedgerReader, LedgerUnavailable } from '../../../ledger/ledger.ts';
import { createLedgerConnection, type LedgerConnection } from '../../../ledger/redis/connection.ts';
import { createRedisLedger } from '../../../ledger/redis/redis-ledger.ts';
import { type FleetError, StartRefused } from '../../../runtime/errors.ts';
import { commitRequest, ledgerSpec, SHARD } from '../../support/ledger-builder.ts';
import {
  hasRedisServer,
  type RedisServer,
  type RedisServerOptions,
  startRedisServer,
} from '../../support/redis-server.ts';

const ended: (() => Promise<void>)[] = [];
const OPEN = { shard: SHARD, slot: 0, generation: 1, start: START };

afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

interface Running {
  readonly server: RedisServer;
  readonly connection: LedgerConnection;
  readonly ledger: Ledger & LedgerReader;
}

function connect(url: string, deadlineMs: number): LedgerConnection {
  const connection = createLedgerConnection({ url, deadlineMs });
  ended.push(async () => connection.close());
  return connection;
}

async function running(options: RedisServerOptions = {}, deadlineMs = 2_000): Promise<Running> {
  const server = await startRedisServer(options);
  ended.push(() => server.stop());
  const connection = connect(server.url, deadlineMs);
  await connection.ready();
  const ledger = createRedisLedger(ledgerSpec(), connection);
  await ledger.open(OPEN);
  return { server, connection, ledger };
}

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe.skipIf(!hasRedisServer())('the ledger', () => {
  it('goes on after a restart of Redis, which forgot the scripts, on a connection with a higher number', async () => {
    const { server, connection, ledger } = await running({ durable: true, args: ['--appendfsync', 'always'] });
    const request = commitRequest({ copies: [{ at: 1, id: 1 }], furtherAt: [2] });
    const first = await ledger.commit(request);

    await server.restart();
    await connection.ready();

    const again = await ledger.commit(request);
    expect(again).toMatchObject({ kind: 'applied', duplicates: first.kind === 'ok' ? first.duplicates : 'none' });
    expect(again.connection).toBeGreaterThan(first.connection);
  });

  it('fails at once, and passing, while Redis is away', async () => {
    const { server, connection, ledger } = await running();
    await server.child.stop(1_000);
    await expect.poll(() => connection.isReady(), { timeout: 20_000 }).toBe(false);
    const startedMs = performance.now();
    expect(await failureOf(ledger.open(OPEN))).toBeInstanceOf(LedgerUnavailable);
    expect(performance.now() - startedMs).toBeLessThan(200);
  });

  it('fails a call at its deadline when Redis hangs, and can repeat it on a new connection', async () => {
    const { server, connection, ledger } = await running({}, 300);
    const request = commitRequest({ copies: [{ at: 1, id: 1 }] });
    const before = connection.connectionNumber();
    server.child.kill('SIGSTOP');
    const [hung, beside] = await Promise.all([failureOf(ledger.commit(request)), failureOf(ledger.rows(0))]);
    server.child.kill('SIGCONT');
    expect([hung, beside].every((error) => error instanceof LedgerUnavailable)).toBe(true);

    await connection.ready();
    const again = await ledger.commit(request);
    expect(['ok', 'applied']).toContain(again.kind);
    expect(again.connection).toBeGreaterThan(before);
    expect((await ledger.totals()).get('f')).toBe(1);
  });

  it('waits and changes nothing while Redis is out of memory', async () => {
    const { connection, ledger } = await running();
    await connection.client.config('SET', 'maxmemory', '1');
    const request = commitRequest({ copies: [{ at: 1, id: 1 }], rejected: 1 });
    const failure = await failureOf(ledger.commit(request));
    expect(failure).toBeInstanceOf(LedgerUnavailable);
    expect((failure as LedgerUnavailable).fields).toEqual({ reason: 'OOM' });
    expect(await ledger.totals()).toEqual(new Map());

    await connection.client.config('SET', 'maxmemory', '0');
    expect(await ledger.commit(request)).toMatchObject({ kind: 'ok' });
  });

  it('stops for good when its keys hold something else', async () => {
    const { connection, ledger } = await running();
    await connection.client.set('{fleet.0123456789ab.0}:id:0:1', 'not a set');
    const request = commitRequest({
      copies: [
        { at: 1, id: 1, bucketKey: 0 },
        { at: 2, id: 2, bucketKey: 100 },
      ],
    });
    const failure = await failureOf(ledger.commit(request));
    expect(failure).toMatchObject({ disposition: 'fatal', fields: { reason: 'WRONGTYPE' } });
    expect((await ledger.rows(0)).get(SHARD)).toMatchObject({ position: START });

    // Nothing of it is left: the identity that was added before the refusal is new again.
    await connection.client.del('{fleet.0123456789ab.0}:id:0:1');
    expect(await ledger.commit(request)).toMatchObject({ kind: 'ok', duplicates: [] });
  });

  it('takes a password from the URL and shows it nowhere', async () => {
    const { server } = await running();
    const admin = connect(server.url, 2_000);
    await admin.ready();
    await admin.client.config('SET', 'requirepass', 'pa:ss/w@rd');
    const withPassword = (password: string) => server.url.replace('//', `//:${encodeURIComponent(password)}@`);

    const good = connect(withPassword('pa:ss/w@rd'), 2_000);
    await good.ready();
    expect((await good.call('', (client) => client.ping())).answer).toBe('PONG');
    expect(good.endpoint).not.toContain('pa');

    const bad = connect(withPassword('wr0ng'), 300);
    const failures = [await failureOf(bad.ready()), await failureOf(bad.call('', (client) => client.ping()))];
    for (const failure of failures) {
      expect(failure).toBeInstanceOf(LedgerUnavailable);
      expect((failure as FleetError).fields).toEqual({ reason: 'WRONGPASS' });
      expect(inspect(failure, { depth: 20, showHidden: true })).not.toContain('wr0ng');
    }
  });

  it('refuses a URL that is none, without repeating it', () => {
    const failures = ['http://:s3cret@h', 's3cret', 'redis://'].map((url) => {
      try {
        return connect(url, 100);
      } catch (error) {
        return error;
      }
    });
    for (const failure of failures) {
      expect(failure).toBeInstanceOf(StartRefused);
      expect(inspect(failure)).not.toContain('s3cret');
    }
  });
});
