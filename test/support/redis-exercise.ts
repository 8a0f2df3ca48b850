/**
 * Everything that a fleet asks of its Redis, once: the ledger, its job, an operator's event, dead letters that are
 * stored, dropped, read and taken out, hints and presence. Throws when something does not come out as it must.
 */

import { START } from '../../lease/position.ts';
import { FORGET_SLACK_MS, type LedgerSpec } from '../../ledger/ledger.ts';
import { createLedgerConnection, type LedgerConnection } from '../../ledger/redis/connection.ts';
import { slotKeys } from '../../ledger/redis/keys.ts';
import { createRedisLedger } from '../../ledger/redis/redis-ledger.ts';
import { createRedisLedgerEvents } from '../../ledger/redis/redis-ledger-events.ts';
import { createRedisLedgerJob } from '../../ledger/redis/redis-ledger-job.ts';
import { checkServer } from '../../ledger/redis/server-check.ts';
import type { ServerFacts } from '../../ledger/redis/server-facts.ts';
import { systemClock as clock } from '../../runtime/clock.ts';
import { silentLogger } from '../../runtime/logger.ts';
import type { RedisAddress } from '../../runtime/redis/target.ts';
import { createControllerSignals, createWorkerSignals } from '../../signal/redis/redis-signals.ts';
import { Waiting } from '../../worker/ledger/waiting.ts';
import type { DeadLetter } from '../../worker/sink/dead-letter.ts';
import { createRedisDeadLetters } from '../../worker/sink/redis-dead-letters.ts';
import { RedisLetterStore } from '../../worker/sink/redis-letter-store.ts';
import { judgedOf } from './judged-batch.ts';
import { advanceRequest, commitRequest, ledgerSpec, markAt, SHARD } from './ledger-builder.ts';

const PATIENCE_MS = 10_000;
/** One each into buckets 1, 2 and 3; into bucket 0, before the last, so many that the bucket is copied, and one that it has. */
const SCATTERED = [100, 200, ...Array<number>(20).fill(0), 300].map((bucketKey, i) => {
  return { at: 5 + i, id: i === 10 ? 1 : 11 + i, bucketKey };
});
const LAST = SCATTERED.at(-1)!.at;

export interface Exercised {
  readonly facts: ServerFacts;
  readonly totals: Readonly<Record<string, number>>;
  readonly letters: number;
}

export async function exerciseRedis(address: RedisAddress, fleet: string, slots = 1): Promise<Exercised> {
  const spec = ledgerSpec({ name: `${fleet}.0123456789ab`, slots });
  const connection = createLedgerConnection({ ...address, deadlineMs: PATIENCE_MS });
  try {
    const facts = await checkServer(connection);
    for (let slot = 0; slot < slots; slot++) await useSlot(spec, slot, connection);
    await createRedisLedgerEvents(spec, connection).note({ atMs: 1, what: 'exercised', fields: {} });
    must((await createRedisLedgerEvents(spec, connection).list()).length === 1, 'an event');
    const letters = await useLetters(spec, connection);
    await useSignals(address, fleet);
    const totals = Object.fromEntries(await createRedisLedger(spec, connection).totals());
    return { facts, totals, letters };
  } finally {
    connection.close();
  }
}

/**
 * Two fresh identities, two copies of them, an exact and an approximate unique, 22 more of which most share a bucket with
 * a third copy, after a commit of them was refused half done; then the whole period is forgotten, and the row dropped.
 */
async function useSlot(spec: LedgerSpec, slot: number, connection: LedgerConnection): Promise<void> {
  const ledger = createRedisLedger(spec, connection);
  const job = createRedisLedgerJob(spec, connection);
  await ledger.open({ shard: SHARD, slot, generation: 1, start: START });
  const copies = [
    { at: 1, id: 1 },
    { at: 2, id: 2 },
  ];
  const members = new Uint8Array(8);
  const uniques = [
    { unique: 'players', set: '0', counter: 'u:players', members },
    { unique: 'devices', set: '0', counter: 'u:devices', isApproximate: true, members },
  ];
  const first = commitRequest({ slot, copies, furtherAt: [3], uniques, rejected: 1 });
  const committed = await ledger.commit(first);
  must(committed.kind === 'ok', 'a commit');
  const layouts = [{ period: 0, buckets: 4 }];
  const second = { from: first.to, to: markAt(4), layouts, copies: [{ at: 4, id: 1 }] };
  const again = await ledger.commit(commitRequest({ slot, ...second }));
  must(again.kind === 'ok' && again.duplicates.length === 1, 'a duplicate');
  must(again.connection === committed.connection, 'one connection');
  const third = { from: second.to, to: markAt(LAST), layouts, copies: SCATTERED };
  const inTheWay = slotKeys(spec.name, slot).bucketPrefix(0) + 3;
  await connection.call(inTheWay, (client) => client.hset(inTheWay, 'not', 'a set'));
  await ledger.commit(commitRequest({ slot, ...third })).then(
    () => must(false, 'a refusal'),
    () => undefined,
  );
  await connection.call(inTheWay, (client) => client.unlink(inTheWay));
  const whole = await ledger.commit(commitRequest({ slot, ...third }));
  must(whole.kind === 'ok' && whole.duplicates.length === 1, 'nothing of a refused commit');
  const arrivalMs = spec.periodMs + spec.horizonMs + FORGET_SLACK_MS + 1;
  const to = markAt(LAST + 1);
  const advanced = await ledger.advance(slot, [
    advanceRequest({ from: third.to, to, floor: third.to.position, arrivalMs }),
  ]);
  must(advanced.answers[0]?.kind === 'ok', 'an advance');
  await job.openJob(slot, 1);
  must((await job.forget(slot, 1, 0, [SHARD])).kind === 'ok', 'forgetting');
  must((await job.sweep(slot, 1, { period: 0, buckets: 4 }, 0)).kind === 'ok', 'a sweep');
  must((await job.dropRows(slot, 1, [SHARD])).kind === 'ok', 'dropped rows');
  must((await ledger.rows(slot)).size === 0, 'no rows');
}

async function useLetters(spec: LedgerSpec, connection: LedgerConnection): Promise<number> {
  const live = new AbortController().signal;
  let dropped = 0;
  const sink = createRedisDeadLetters({
    ...{ connection, clock, ledgerName: spec.name, pipeline: 'logins', stream: 'events', maxBytes: 3_000 },
    ...{ whenFull: 'drop-oldest', waiting: new Waiting(clock) },
    onStored: (_stored, gone) => {
      dropped += gone;
    },
  });
  for (let n = 0; n < 5; n++) await sink.store(`shard-${n}`, judgedOf({ rejected: 'x'.repeat(900) }), live);
  must(dropped > 0, 'letters that made room');
  const store = new RedisLetterStore(connection, spec.name, 'logins');
  const kept: DeadLetter[] = [];
  for await (const letter of store.letters()) kept.push(letter);
  must((await store.totals()).letters === kept.length, 'all letters');
  must((await store.remove(kept)) === kept.length, 'removed letters');
  return kept.length;
}

async function useSignals(address: RedisAddress, fleet: string): Promise<void> {
  const options = { ...address, fleet, clock, logger: silentLogger };
  const worker = createWorkerSignals(options);
  const controller = createControllerSignals(options);
  const ended = new AbortController();
  const heard = new Set<string>();
  worker.listen('w1', ({ kind }) => heard.add(kind), ended.signal);
  controller.listen(({ kind }) => heard.add(kind), ended.signal);
  try {
    await until('presence', async () => (await controller.presence(['w1', 'w2']))?.present.size === 1);
    await until('hints', () => {
      worker.toController({ kind: 'worker-changed', workerId: 'w1' });
      controller.toWorker('w1', { kind: 'lease-moved', leaseKey: 'x' });
      return Promise.resolve(heard.has('worker-changed') && heard.has('lease-moved'));
    });
  } finally {
    ended.abort();
    await Promise.all([worker.close(), controller.close()]);
  }
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const endMs = clock.monotonicMs() + PATIENCE_MS;
  while (!(await isSo())) {
    must(clock.monotonicMs() < endMs, what);
    await clock.sleep(20);
  }
}

function must(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(`Redis was asked in vain for ${what}`);
}
