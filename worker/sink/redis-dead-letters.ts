/**
 * Dead letters in Redis: one stream per ledger and pipeline, beside slot 0 (same tag, same connection), so that they
 * settle by the same calls as slot 0's commits. Bounded by bytes: when full the oldest make room, and are counted, or
 * the shard waits until somebody made room. Storing a letter again stores nothing.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { LedgerConnection } from '../../ledger/redis/connection.ts';
import { callScript, type Script } from '../../ledger/redis/scripts.ts';
import type { Clock } from '../../runtime/clock.ts';
import { FleetError } from '../../runtime/errors.ts';
import type { Stored } from '../ledger/settling.ts';
import type { Waiting } from '../ledger/waiting.ts';
import { type DeadLetter, deadLettersOf, packLetters } from './dead-letter.ts';
import type { DeadLetterSink, OnStored, Receipt } from './dead-letter-sink.ts';

/** What happens to a letter that finds the store full. */
export type FullPolicy = 'drop-oldest' | 'wait';

export interface RedisDeadLettersOptions {
  readonly connection: LedgerConnection;
  readonly clock: Clock;
  /** Name of the ledger whose slot 0 they lie beside. */
  readonly ledgerName: string;
  readonly pipeline: string;
  /** Kinesis stream, told in each letter. */
  readonly stream: string;
  readonly maxBytes: number;
  readonly whenFull: FullPolicy;
  readonly waiting: Waiting;
  readonly onStored: OnStored;
}

/** A single letter may be larger: a Kinesis record has up to 10 MiB. */
const CALL_LIMITS = { letters: 200, bytes: 4 * 1024 * 1024 };
const storeScript = loadScript('store-letter.lua');

export function deadLetterKeys(ledgerName: string, pipeline: string): readonly [string, string, string, string] {
  const stream = `{${ledgerName}.0}:dead:${pipeline}`;
  return [stream, `${stream}:sizes`, `${stream}:totals`, `${stream}:ids`];
}

export function createRedisDeadLetters(options: RedisDeadLettersOptions): DeadLetterSink {
  const { connection, clock, waiting, maxBytes, whenFull } = options;
  const keys = [...deadLetterKeys(options.ledgerName, options.pipeline)];

  async function send(letters: readonly DeadLetter[], signal: AbortSignal): Promise<Stored> {
    const args = [String(maxBytes), whenFull, ...letters.flatMap(argsOf)];
    const number = await waiting.patiently(signal, async () => {
      const called = await connection.call(keys[0]!, (client) => callScript(client, storeScript, { keys, args }));
      const [done, stored, dropped] = called.answer.map(Number) as [number, number, number];
      options.onStored(stored, dropped);
      if (done < letters.length) throw storeIsFull(maxBytes);
      return called.connection;
    });
    return { connection: number, answeredAtMs: clock.monotonicMs() };
  }

  return {
    async store(shard, { batch, through }, signal): Promise<Receipt> {
      let stored: Stored | undefined;
      const letters = deadLettersOf(shard, options.stream, batch);
      for (const pack of packLetters(letters, ({ bytes }) => bytes.length, CALL_LIMITS)) {
        const next = await send(pack, signal);
        // The first call's connection counts: a later one must not hide that it went.
        stored = { connection: stored?.connection ?? next.connection, answeredAtMs: next.answeredAtMs };
      }
      return { through, stored };
    },
  };
}

export function loadScript(file: string): Script {
  const text = readFileSync(new URL(file, import.meta.url), 'utf8');
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}

function argsOf({ shard, position, stream, arrivalMs, reason, bytes }: DeadLetter): (string | Buffer)[] {
  const payload = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return [shard, position, stream, String(arrivalMs), reason, payload];
}

function storeIsFull(maxBytes: number): FleetError {
  return new FleetError('the store of dead letters is full', {
    code: 'DeadLettersFull',
    disposition: 'retry',
    fields: { maxBytes },
  });
}
