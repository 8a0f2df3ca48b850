/**
 * Waits until the stream can be read. A missing stream is no reason to exit: it may be made later, and a pod that
 * restarts for it says less than one that waits and tells. Reading works while a stream is UPDATING.
 */
import { DescribeStreamSummaryCommand, type KinesisClient } from '@aws-sdk/client-kinesis';
import { backoffMs, type Random } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorName } from '../../runtime/errors.ts';
import { errorFields, type LogFields, type Logger } from '../../runtime/logger.ts';
import { callWithin } from './deadline-call.ts';
import { streamArguments } from './sdk-reads.ts';

export interface StreamSummary {
  readonly arn: string;
  readonly name: string;
  /** ACTIVE or UPDATING. */
  readonly status: string;
  /** Milliseconds since 1970; tells a recreated stream from its predecessor. */
  readonly createdMs: number;
  readonly retentionHours: number;
}

export interface WaitForStreamOptions {
  readonly client: KinesisClient;
  /** Name or ARN. */
  readonly stream: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly random?: Random;
  /** Told why it still waits, after each look: a stream status, or an error's name. For a readiness page. */
  readonly onWait?: (reason: string) => void;
}

const CALL_DEADLINE_MS = 10_000;
const LOOK_AGAIN = { baseMs: 500, maxMs: 10_000 };
const FIRST_LOG_INTERVAL_MS = 5_000;
const LAST_LOG_INTERVAL_MS = 300_000;

/** Undefined once the signal aborted. */
export async function waitForStream(options: WaitForStreamOptions): Promise<StreamSummary | undefined> {
  const { clock, logger, signal } = options;
  let logAtMs = Number.NEGATIVE_INFINITY;
  let logIntervalMs = FIRST_LOG_INTERVAL_MS;
  for (let look = 1; !signal.aborted; look++) {
    const seen = await describe(options);
    if ('arn' in seen) return seen;
    options.onWait?.(seen.reason);
    const nowMs = clock.monotonicMs();
    if (nowMs >= logAtMs && !signal.aborted) {
      logger.warn('waiting for the stream', { stream: options.stream, ...seen.fields });
      logAtMs = nowMs + logIntervalMs;
      logIntervalMs = Math.min(LAST_LOG_INTERVAL_MS, logIntervalMs * 2);
    }
    await clock.sleep(backoffMs(LOOK_AGAIN, look, options.random), signal);
  }
  return undefined;
}

async function describe(
  options: WaitForStreamOptions,
): Promise<StreamSummary | { readonly reason: string; readonly fields: LogFields }> {
  const { client, stream, clock, signal } = options;
  try {
    const command = new DescribeStreamSummaryCommand(streamArguments(stream));
    const answer = await callWithin(clock, CALL_DEADLINE_MS, signal, (abortSignal) =>
      client.send(command, { abortSignal }),
    );
    const summary = answer.StreamDescriptionSummary;
    const status = summary?.StreamStatus ?? 'UNKNOWN';
    if (!summary || (status !== 'ACTIVE' && status !== 'UPDATING')) return { reason: status, fields: { status } };
    return {
      arn: summary.StreamARN ?? '',
      name: summary.StreamName ?? '',
      status,
      createdMs: summary.StreamCreationTimestamp?.getTime() ?? 0,
      retentionHours: summary.RetentionPeriodHours ?? 0,
    };
  } catch (error) {
    return { reason: errorName(error), fields: errorFields(error) };
  }
}
