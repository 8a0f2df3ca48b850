import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLedgerConnection, type LedgerConnection } from '../../../ledger/redis/connection.ts';
import { systemClock } from '../../../runtime/clock.ts';
import type { Judged } from '../../../worker/ledger/judged.ts';
import { Waiting } from '../../../worker/ledger/waiting.ts';
import type { DeadLetter } from '../../../worker/sink/dead-letter.ts';
import type { DeadLetterSink } from '../../../worker/sink/dead-letter-sink.ts';
import { createRedisDeadLetters, deadLetterKeys, type FullPolicy } from '../../../worker/sink/redis-dead-letters.ts';
import { RedisLetterStore } from '../../../worker/sink/redis-letter-store.ts';
import { column } from '../../support/ledger-builder.ts';
import { type RedisServer, startRedisServer } from '../../support/redis-server.ts';

const MIB = 1024 * 1024;
const live = new AbortController().signal;
let redis: RedisServer;
let connection: LedgerConnection;
let ledgers = 0;

beforeAll(async () => {
  redis = await startRedisServer();
  connection = createLedgerConnection({ url: redis.url });
  await connection.ready();
});

afterAll(async () => {
  connection.close();
  await redis.stop();
});

/** A batch in which every record is rejected. */
function rejected(from: number, payloads: readonly Uint8Array[]): Judged {
  const bytes = Buffer.concat(payloads);
  const ends = Uint32Array.from(payloads, (_, i) => payloads.slice(0, i + 1).reduce((sum, p) => sum + p.length, 0));
  const starts = Uint32Array.from(payloads, (payload, i) => ends[i]! - payload.length);
  const positions = column(payloads.map((_, i) => from + i));
  const records = {
    count: payloads.length,
    bytes,
    starts,
    ends,
    positions,
    arrivalsMs: new Float64Array(payloads.length),
  };
  return {
    batch: { records, rejected: payloads.map((_, index) => ({ index, reason: 'empty' })) },
    through: 'through',
  } as unknown as Judged;
}

function bench(maxBytes: number, whenFull: FullPolicy = 'drop-oldest', ledgerName = `fleet.${++ledgers}`) {
  const totals = { stored: 0, dropped: 0 };
  const waiting = new Waiting(systemClock);
  const sink: DeadLetterSink = createRedisDeadLetters({
    ...{ connection, clock: systemClock, ledgerName, maxBytes, whenFull, pipeline: 'logins', stream: 'events' },
    waiting,
    onStored: (stored, dropped) => {
      totals.stored += stored;
      totals.dropped += dropped;
    },
  });
  const [stream, , summary] = deadLetterKeys(ledgerName, 'logins');
  const store = new RedisLetterStore(connection, ledgerName, 'logins');
  return { ledgerName, sink, store, stream, summary, totals, waiting };
}

async function read(store: RedisLetterStore): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for await (const letter of store.letters()) letters.push(letter);
  return letters;
}

describe('dead letters in Redis', () => {
  it('are kept byte for byte, with shard, position, stream and reason', async () => {
    const { sink, stream } = bench(MIB);
    const payload = Buffer.from([0, 255, 10, 13, 0]);

    const receipt = await sink.store('shard-1', rejected(7, [payload, Buffer.alloc(0)]), live);

    expect(receipt.stored).toMatchObject({ connection: connection.connectionNumber() });
    const [first, second] = await connection.client.xrangeBuffer(stream, '-', '+');
    const fields = first![1].map((field) => field.toString('latin1'));
    expect(fields.slice(0, 2)).toEqual(['shard', 'shard-1']);
    expect(fields[3]).toMatch(/^0+7\.0{8}$/);
    expect(fields.slice(4)).toEqual([
      'stream',
      'events',
      'arrival',
      '0',
      'reason',
      'empty',
      'bytes',
      payload.toString('latin1'),
    ]);
    expect(second![1].at(-1)).toHaveLength(0);
  });

  it('make room for new ones when their bytes reach the bound, and what falls out is counted', async () => {
    const { sink, stream, summary, totals } = bench(100_000);
    for (let n = 0; n < 30; n++)
      await sink.store('shard-1', rejected(n * 10, Array(10).fill(Buffer.alloc(1_000))), live);

    const kept = await connection.client.xlen(stream);
    expect(kept).toBeGreaterThan(50);
    expect(kept).toBeLessThanOrEqual(100);
    expect(totals).toEqual({ stored: 300, dropped: 300 - kept });
    expect(Number(await connection.client.hget(summary, 'dropped'))).toBe(300 - kept);
    expect(Number(await connection.client.hget(summary, 'bytes'))).toBeLessThanOrEqual(100_000);
  });

  it('are there once, however often a replay stores them', async () => {
    const { sink, store, totals } = bench(MIB);
    const batch = rejected(1, [Buffer.from('a'), Buffer.from('b')]);

    for (let n = 0; n < 3; n++) await sink.store('shard-1', batch, live);
    await sink.store('shard-2', batch, live);

    expect((await read(store)).map(({ shard, bytes }) => `${shard} ${Buffer.from(bytes)}`)).toEqual([
      'shard-1 a',
      'shard-1 b',
      'shard-2 a',
      'shard-2 b',
    ]);
    expect(totals).toEqual({ stored: 4, dropped: 0 });
  });

  it('wait at the bound until somebody makes room, when no letter may make room for them', async () => {
    const { sink, store, totals, waiting } = bench(20_000, 'wait');
    await sink.store('shard-1', rejected(1, Array(8).fill(Buffer.alloc(1_500))), live);
    const storing = sink.store('shard-1', rejected(100, Array(4).fill(Buffer.alloc(1_500))), live);
    while (!waiting.isWaiting) await systemClock.sleep(10);
    expect(totals.stored).toBeLessThan(12);

    const held = await read(store);
    await store.remove(held.slice(0, 6));
    await storing;

    const kept = (await read(store)).map(({ position }) => Number(position.slice(0, 56)));
    expect(kept).toEqual([7, 8, 100, 101, 102, 103]);
    expect(totals).toEqual({ stored: 12, dropped: 0 });
    expect(waiting.isWaiting).toBe(false);
  });

  it.each([
    ['stay', 'wait', 8, 20_000],
    ['make room at once', 'drop-oldest', 2, 5_000],
  ] as const)(
    '%s under a bound that was lowered, and what there is of bytes stays true (%s)',
    async (_, full, left, most) => {
      const { ledgerName, sink } = bench(20_000, full);
      const batch = rejected(1, Array(8).fill(Buffer.alloc(1_500)));
      await sink.store('shard-1', batch, live);

      const { sink: lowered, store } = bench(5_000, full, ledgerName);
      await lowered.store('shard-1', batch, live);
      await lowered.store('shard-1', batch, live);

      const { letters, bytes } = await store.totals();
      expect(letters).toBe(left);
      expect(bytes).toBeLessThanOrEqual(most);
      expect(bytes).toBeGreaterThan(left * 1_500);
    },
  );

  it('that alone are larger than the bound are kept, also when letters wait for room', async () => {
    const { sink, store } = bench(1_000, 'wait');
    await sink.store('shard-1', rejected(1, [Buffer.alloc(5_000)]), live);

    expect(await read(store)).toHaveLength(1);
  });

  it('are taken out with all that was kept of them, and only those that are there', async () => {
    const { sink, store } = bench(MIB);
    await sink.store('shard-1', rejected(1, [Buffer.from('a'), Buffer.from('b'), Buffer.from('c')]), live);
    const [first, , third] = await read(store);

    expect(await store.remove([third!, first!])).toBe(2);
    expect(await store.remove([third!])).toBe(0);

    expect((await read(store)).map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['b']);
    await store.remove(await read(store));
    expect(await store.totals()).toEqual({ letters: 0, bytes: 0, dropped: 0 });
  });

  it('may be as large as a Kinesis record, and larger than the bound', async () => {
    const { sink, stream } = bench(MIB);
    await sink.store('shard-1', rejected(1, [Buffer.alloc(10), Buffer.alloc(10 * MIB, 1)]), live);

    const kept = await connection.client.xrangeBuffer(stream, '-', '+');
    expect(kept.map(([, fields]) => fields.at(-1)!.length)).toEqual([10 * MIB]);
  });

  it('are waited for while Redis is away', async () => {
    const { sink, totals } = bench(MIB);
    redis.child.kill('SIGSTOP');
    const storing = sink.store('shard-1', rejected(1, [Buffer.alloc(1)]), live);
    await systemClock.sleep(300);
    expect(totals.stored).toBe(0);
    redis.child.kill('SIGCONT');

    await storing;
    expect(totals.stored).toBe(1);
  });
});
