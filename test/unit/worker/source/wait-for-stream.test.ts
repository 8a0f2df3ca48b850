/** A process waits for its stream instead of ending, and says why. */
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { expect, test } from 'vitest';
import { type Logger, silentLogger } from '../../../../runtime/logger.ts';
import { waitForStream } from '../../../../worker/source/wait-for-stream.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { kinesisError } from '../../../support/scripted-kinesis.ts';

const ACTIVE = {
  StreamDescriptionSummary: {
    StreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/s',
    StreamName: 's',
    StreamStatus: 'ACTIVE',
    StreamCreationTimestamp: new Date(1_000),
    RetentionPeriodHours: 24,
  },
};

/** Answers as `answer` says at the time. */
function waiting(answer: () => unknown) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const lines: string[] = [];
  const reasons: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (message) => lines.push(message) };
  const client = { send: async () => answer() } as unknown as KinesisClient;
  const onWait = (reason: string): number => reasons.push(reason);
  const summary = waitForStream({ client, stream: 's', clock, logger, signal: stop.signal, onWait });
  return { clock, stop, lines, reasons, summary };
}

test('a stream that appears later is waited for', async () => {
  const world = { hasStream: false };
  const { clock, summary, reasons } = waiting(() => {
    if (!world.hasStream) throw kinesisError('ResourceNotFoundException');
    return ACTIVE;
  });
  await clock.advance(60_000);
  world.hasStream = true;
  expect(await clock.runUntil(summary)).toMatchObject({ name: 's', status: 'ACTIVE', createdMs: 1_000 });
  expect(new Set(reasons)).toEqual(new Set(['ResourceNotFoundException']));
});

test('a missing stream is logged at growing intervals', async () => {
  const { clock, stop, lines, summary } = waiting(() => {
    throw kinesisError('ResourceNotFoundException');
  });
  await clock.advance(600_000);
  stop.abort();
  expect(await summary).toBeUndefined();
  expect(lines.length).toBeGreaterThan(4);
  expect(lines.length).toBeLessThan(10);
});

test('a stream that is being made or deleted is waited for, one that is updating is read', async () => {
  const states = ['CREATING', 'DELETING', 'UPDATING'];
  const { clock, summary, reasons } = waiting(() => ({
    StreamDescriptionSummary: { ...ACTIVE.StreamDescriptionSummary, StreamStatus: states.shift() },
  }));
  expect(await clock.runUntil(summary)).toMatchObject({ status: 'UPDATING' });
  expect(reasons).toEqual(['CREATING', 'DELETING']);
});
