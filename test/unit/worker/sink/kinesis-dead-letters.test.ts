/** Dead letters that go to a Kinesis stream: nothing is confirmed before all of it is stored, whatever Kinesis says. */
import type { PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { describe, expect, it } from 'vitest';
import { Waiting } from '../../../../worker/ledger/waiting.ts';
import type { DeadLetter } from '../../../../worker/sink/dead-letter.ts';
import { createKinesisDeadLetters } from '../../../../worker/sink/kinesis-dead-letters.ts';
import { LetterJoiner } from '../../../../worker/sink/letter-parts.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { judgedOf } from '../../../support/judged-batch.ts';

/** Per call: numbers of entries to refuse, or an error. */
type Answer = readonly number[] | Error;

function bench(...answers: Answer[]) {
  const clock = new FakeClock();
  const stored: Buffer[] = [];
  const calls: number[] = [];
  const counted = { stored: 0 };
  const send = async ({ input }: PutRecordsCommand) => {
    const entries = input.Records ?? [];
    calls.push(entries.length);
    const answer = answers.shift() ?? [];
    if (answer instanceof Error) throw answer;
    return {
      Records: entries.map((entry, i) => {
        if (answer.includes(i)) return { ErrorCode: 'ProvisionedThroughputExceededException' };
        stored.push(Buffer.from(entry.Data!));
        return { SequenceNumber: '1', ShardId: 'shard-0' };
      }),
    };
  };
  const waiting = new Waiting(clock);
  const sink = createKinesisDeadLetters({
    ...{ clock, waiting, stream: 'logins', deadLetterStream: 'logins-dead' },
    client: { send } as unknown as Parameters<typeof createKinesisDeadLetters>[0]['client'],
    onStored: (count) => {
      counted.stored += count;
    },
  });
  const letters = (): DeadLetter[] => {
    const joiner = new LetterJoiner();
    return stored.flatMap((data) => joiner.add(data.toString()) ?? []);
  };
  return { clock, sink, waiting, calls, letters, counted };
}

const live = new AbortController().signal;

describe('dead letters in a Kinesis stream', () => {
  it('are confirmed without settling once Kinesis has them, with everything that is known of them', async () => {
    const { clock, sink, letters } = bench();
    const judged = judgedOf('a good one', { rejected: 'a bad one' });

    const receipt = await clock.runUntil(sink.store('shard-1', judged, live));

    expect(receipt).toEqual({ through: judged.through, stored: undefined });
    expect(letters()).toEqual([
      {
        ...{ stream: 'logins', shard: 'shard-1', position: judged.through, arrivalMs: 1_000, reason: 'empty' },
        bytes: Buffer.from('a bad one'),
      },
    ]);
  });

  it('that were refused go again, alone, and the shard waits visibly until they are stored', async () => {
    const { clock, sink, waiting, calls, letters, counted } = bench([1], [0]);
    const storing = sink.store('shard-1', judgedOf({ rejected: 'a' }, { rejected: 'b' }, { rejected: 'c' }), live);
    await clock.advance(1);
    expect(waiting.isWaiting).toBe(true);

    await clock.runUntil(storing);

    expect(calls).toEqual([3, 1, 1]);
    expect(letters().map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['a', 'c', 'b']);
    expect(counted.stored).toBe(3);
    expect(waiting.isWaiting).toBe(false);
  });

  it.each(['AccessDeniedException', 'ResourceNotFoundException', 'InternalFailureException', 'ECONNREFUSED'])(
    'are waited for and never skipped when the answer is %s',
    async (name) => {
      const { clock, sink, calls, letters } = bench(
        ...Array.from({ length: 5 }, () => Object.assign(new Error(name), { name })),
      );

      await clock.runUntil(sink.store('shard-1', judgedOf({ rejected: 'a' }), live));

      expect(calls).toEqual([1, 1, 1, 1, 1, 1]);
      expect(letters()).toHaveLength(1);
    },
  );

  it('end their waiting when the lease is lost', async () => {
    const { clock, sink } = bench(...Array.from({ length: 50 }, () => new Error('away')));
    const abort = new AbortController();
    const storing = sink.store('shard-1', judgedOf({ rejected: 'a' }), abort.signal);
    await clock.advance(100);
    const reason = new Error('lease lost');
    abort.abort(reason);

    await expect(storing).rejects.toBe(reason);
  });

  it('that are many go in calls of at most 500', async () => {
    const { clock, sink, calls } = bench();
    const many = Array.from({ length: 1_001 }, (_, i) => ({ rejected: `${i}` }));

    await clock.runUntil(sink.store('shard-1', judgedOf(...many), live));

    expect(calls).toEqual([500, 500, 1]);
  });
});
