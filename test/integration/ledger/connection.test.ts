/** The ledger while its Redis restarts, hangs, fills up or refuses. */
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { START } from '../../../lease/position.ts';
import { type CommitRequest, type Ledger, type LedgerReader, LedgerUnavailable } from '../../../ledger/ledger.ts';
import { createLedgerConnection, type LedgerConnection } from '../../../ledger/redis/connection.ts';
import { createRedisLedger } from '../../../ledger/redis/redis-ledger.ts';
import { type FleetError, StartRefused } from '../../../runtime/errors.ts';
import { commitRequest, ledgerSpec, positions, SHARD } from '../../support/ledger-builder.ts';
import {
  hasRedisServer,
  type RedisServer,
  type RedisServerOptions,
  startRedisServer,
} from '../../support/redis-server.ts';
import { documentedUser } from '../../support/redis-user.ts';

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

/** All that Redis holds. */
async function imageOf({ client }: LedgerConnection): Promise<ReadonlyMap<string, Buffer>> {
  const keys = (await client.keys('*')).sort();
  return new Map(await Promise.all(keys.map(async (key) => [key, await client.dumpBuffer(key)] as const)));
}

/** After a first commit of id 1: so many ids at each time of 0, 100, 200 and 300, a bucket each, id 1 among them. */
function scattered(first: CommitRequest, counts: readonly number[]): CommitRequest {
  const bucketKeys = counts.flatMap((count, i) => Array<number>(count).fill(100 * i));
  const known = bucketKeys.indexOf(first.first.bucketKeys[0]!);
  return commitRequest({
    ...{ from: first.to, layouts: [{ period: 0, buckets: 4 }] },
    copies: bucketKeys.map((bucketKey, i) => ({ at: 2 + i, id: i === known ? 1 : 2 + i, bucketKey })),
  });
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

  it.each([1, 20])('waits and changes nothing while Redis is out of memory for a bucket of %s', async (count) => {
    const { connection, ledger } = await running();
    await connection.client.config('SET', 'maxmemory', '1');
    const copies = Array.from({ length: count }, (_, i) => ({ at: 1 + i, id: 1 + i, bucketKey: 0 }));
    const request = commitRequest({ copies, rejected: 1 });
    const failure = await failureOf(ledger.commit(request));
    expect(failure).toBeInstanceOf(LedgerUnavailable);
    expect((failure as LedgerUnavailable).fields).toEqual({ reason: 'OOM' });
    expect(await ledger.totals()).toEqual(new Map());

    await connection.client.config('SET', 'maxmemory', '0');
    expect(await ledger.commit(request)).toMatchObject({ kind: 'ok' });
  });

  it.each([
    ['one id', 1],
    ['a few', 3],
    ['many', 20],
  ])('stops for good, and leaves nothing, when the bucket of %s holds something else', async (_, count) => {
    const { connection, ledger } = await running();
    const inTheWay = '{fleet.0123456789ab.0}:id:0:3';
    await connection.client.set(inTheWay, 'not a set');
    const known = commitRequest({ copies: [{ at: 1, id: 1, bucketKey: 0 }] });
    await ledger.commit(known);
    const before = await imageOf(connection);
    const request = scattered(known, [20, 3, 1, count]);
    const failure = await failureOf(ledger.commit(request));
    expect(failure).toMatchObject({ disposition: 'fatal', fields: { reason: 'WRONGTYPE' } });
    expect(await imageOf(connection)).toEqual(before);

    await connection.client.del(inTheWay);
    expect(await ledger.commit(request)).toMatchObject({ kind: 'ok', duplicates: positions([2]) });
  });

  it('leaves nothing of a commit when its user may add ids but not ask for them', async () => {
    const { server, connection, ledger } = await running();
    const known = commitRequest({ copies: [{ at: 1, id: 1, bucketKey: 300 }] });
    await ledger.commit(known);
    await connection.client.call('ACL', ['SETUSER', ...documentedUser('server', 'fleet'), '-smismember']);
    const user = connect(server.url.replace('//', '//fleet:secret@'), 2_000);
    await user.ready();
    const before = await imageOf(connection);
    const request = scattered(known, [20, 0, 1, 20]);
    const failure = await failureOf(createRedisLedger(ledgerSpec(), user).commit(request));
    expect(failure).toMatchObject({ disposition: 'fatal' });
    expect(await imageOf(connection)).toEqual(before);
    expect(await ledger.commit(request)).toMatchObject({ kind: 'ok', duplicates: positions([23]) });
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
