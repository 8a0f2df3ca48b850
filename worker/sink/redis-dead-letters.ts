/**
 * Dead letters in Redis: one stream per ledger and pipeline, beside slot 0 (same tag, same connection), so that they
 * settle by the same calls as slot 0's commits. Bounded by bytes: when full the oldest make room, and are counted.
 */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { LedgerConnection } from '../../ledger/redis/connection.ts';
import { callScript, type Script } from '../../ledger/redis/scripts.ts';
import type { Clock } from '../../runtime/clock.ts';
import { positionAt } from '../ledger/batch-part.ts';
import type { Judged } from '../ledger/judged.ts';
import type { Stored } from '../ledger/settling.ts';
import type { Waiting } from '../ledger/waiting.ts';
import type { DeadLetterSink, Receipt } from './dead-letter-sink.ts';

export interface RedisDeadLettersOptions {
  readonly connection: LedgerConnection;
  readonly clock: Clock;
  /** Name of the ledger whose slot 0 they lie beside. */
  readonly ledgerName: string;
  readonly pipeline: string;
  /** Kinesis stream, told in each letter. */
  readonly stream: string;
  readonly maxBytes: number;
  readonly waiting: Waiting;
  readonly onStored: (stored: number, dropped: number) => void;
}

const MAX_CALL_LETTERS = 200;
/** A single letter may be larger: a Kinesis record has up to 10 MiB. */
const MAX_CALL_BYTES = 4 * 1024 * 1024;
const script = loadScript();

export function deadLetterKeys(ledgerName: string, pipeline: string): readonly [string, string, string] {
  const stream = `{${ledgerName}.0}:dead:${pipeline}`;
  return [stream, `${stream}:sizes`, `${stream}:totals`];
}

export function createRedisDeadLetters(options: RedisDeadLettersOptions): DeadLetterSink {
  const { connection, clock, waiting } = options;
  const keys = deadLetterKeys(options.ledgerName, options.pipeline);

  async function send(letters: readonly (string | Uint8Array)[], count: number, signal: AbortSignal): Promise<Stored> {
    const args = [String(options.maxBytes), ...letters].map((part) => (typeof part === 'string' ? part : buffer(part)));
    const { answer, connection: number } = await waiting.patiently(signal, () =>
      connection.call((client) => callScript(client, script, { keys: [...keys], args })),
    );
    options.onStored(count, Number(answer[0]));
    return { connection: number, answeredAtMs: clock.monotonicMs() };
  }

  return {
    async store(shard, judged, signal): Promise<Receipt> {
      let stored: Stored | undefined;
      for (const { letters, count } of packLetters(shard, options.stream, judged)) {
        const next = await send(letters, count, signal);
        // The first call's connection counts: a later one must not hide that it went.
        stored = { connection: stored?.connection ?? next.connection, answeredAtMs: next.answeredAtMs };
      }
      return { through: judged.through, stored };
    },
  };
}

interface Pack {
  readonly letters: (string | Uint8Array)[];
  count: number;
  bytes: number;
}

function packLetters(shard: string, stream: string, { batch }: Judged): Pack[] {
  const packs: Pack[] = [];
  const { bytes, starts, ends, positions, arrivalsMs } = batch.records;
  for (const { index, reason } of batch.rejected) {
    const payload = bytes.subarray(starts[index], ends[index]);
    let pack = packs.at(-1);
    if (!pack || pack.count >= MAX_CALL_LETTERS || pack.bytes + payload.length > MAX_CALL_BYTES) {
      pack = { letters: [], count: 0, bytes: 0 };
      packs.push(pack);
    }
    pack.letters.push(shard, positionAt(positions, index), stream, String(arrivalsMs[index]), reason, payload);
    pack.count += 1;
    pack.bytes += payload.length;
  }
  return packs;
}

function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function loadScript(): Script {
  const text = readFileSync(new URL('store-letter.lua', import.meta.url), 'utf8');
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}
