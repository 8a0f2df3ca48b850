/**
 * Dead letters in a Kinesis stream of their own, as JSON (letter-parts.ts): durable once Kinesis has answered, so the
 * receipt needs no settling. Whatever Kinesis says, the shard waits and asks again; only entries that were refused go
 * again. An answer that is lost makes letters twice, which their id shows.
 */
import { type KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import type { Clock } from '../../runtime/clock.ts';
import { errorName, FleetError } from '../../runtime/errors.ts';
import type { Waiting } from '../ledger/waiting.ts';
import { callWithin } from '../source/deadline-call.ts';
import { deadLettersOf, packLetters } from './dead-letter.ts';
import type { DeadLetterSink, OnStored, Receipt } from './dead-letter-sink.ts';
import { partsOf } from './letter-parts.ts';

export interface KinesisDeadLettersOptions {
  readonly client: Pick<KinesisClient, 'send'>;
  readonly clock: Clock;
  /** Kinesis stream that was read, told in each letter. */
  readonly stream: string;
  /** Stream of the dead letters: name or ARN. */
  readonly deadLetterStream: string;
  readonly waiting: Waiting;
  readonly onStored: OnStored;
}

interface Entry {
  readonly PartitionKey: string;
  readonly Data: Buffer;
}

const CALL_LIMITS = { letters: 500, bytes: 4 * 1024 * 1024 };
const CALL_DEADLINE_MS = 10_000;

export function createKinesisDeadLetters(options: KinesisDeadLettersOptions): DeadLetterSink {
  const { client, clock, deadLetterStream, waiting } = options;
  const target = deadLetterStream.startsWith('arn:')
    ? { StreamARN: deadLetterStream }
    : { StreamName: deadLetterStream };

  /** What was refused. */
  async function put(entries: readonly Entry[], signal: AbortSignal): Promise<Entry[]> {
    const command = new PutRecordsCommand({ ...target, Records: [...entries] });
    const { Records: answers = [] } = await callWithin(clock, CALL_DEADLINE_MS, signal, (deadline) =>
      client.send(command, { abortSignal: deadline }),
    );
    return entries.filter((_, i) => answers[i]?.SequenceNumber === undefined);
  }

  async function send(entries: readonly Entry[], signal: AbortSignal): Promise<void> {
    let left = entries;
    await waiting.patiently(signal, async () => {
      const refused = await put(left, signal).catch((error: unknown) => {
        throw unreachable(deadLetterStream, errorName(error), error);
      });
      left = refused;
      if (refused.length > 0) throw unreachable(deadLetterStream, 'entries were refused');
    });
  }

  return {
    async store(shard, { batch, through }, signal): Promise<Receipt> {
      const letters = deadLettersOf(shard, options.stream, batch);
      const entries = letters.flatMap((letter) =>
        partsOf(letter).map((part) => ({
          PartitionKey: `${letter.position} ${shard}`.slice(0, 256),
          Data: Buffer.from(JSON.stringify(part)),
        })),
      );
      for (const pack of packLetters(entries, ({ Data }) => Data.length, CALL_LIMITS)) await send(pack, signal);
      if (letters.length > 0) options.onStored(letters.length, 0);
      return { through, stored: undefined };
    },
  };
}

function unreachable(stream: string, reason: string, cause?: unknown): FleetError {
  return new FleetError('the stream of the dead letters does not take them', {
    code: 'DeadLettersUnreachable',
    disposition: 'retry',
    cause,
    fields: { deadLetterStream: stream, reason },
  });
}
