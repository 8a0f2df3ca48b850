/** Putting records: what is sent again, what is counted, and what the truth covers when things go wrong. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PutRecordsCommand, PutRecordsCommandInput, PutRecordsResultEntry } from '@aws-sdk/client-kinesis';
import { describe, expect, it } from 'vitest';
import { GENERATOR_DEFAULTS } from '../../../producer/generator.ts';
import { type ProduceOptions, type ProduceReport, produce } from '../../../producer/produce.ts';
import { decode, show } from '../../support/decoded-logins.ts';
import { FakeClock } from '../../support/fake-clock.ts';

type Entries = NonNullable<PutRecordsCommandInput['Records']>;

/** A stream of two shards that stores what it is told to. */
class FakeStream {
  readonly stored: Uint8Array[] = [];
  readonly callsOf: number[] = [];
  readonly config = { maxAttempts: async () => 1 };
  /** Decides per call: undefined = store all; a set = refuse these entries; an error = throw it, storing all or nothing. */
  answer: (call: number, entries: Entries) => Set<number> | { error: Error; stores: boolean } | undefined = () =>
    undefined;

  readonly send = async (command: PutRecordsCommand): Promise<{ Records: PutRecordsResultEntry[] }> => {
    const entries = command.input.Records ?? [];
    const answer = this.answer(this.callsOf.push(entries.length) - 1, entries);
    if (answer && 'error' in answer) {
      if (answer.stores) this.stored.push(...entries.map((entry) => entry.Data!));
      throw answer.error;
    }
    const results = entries.map((entry, i): PutRecordsResultEntry => {
      if (answer?.has(i)) return { ErrorCode: 'ProvisionedThroughputExceededException', ErrorMessage: 'later' };
      this.stored.push(entry.Data!);
      return { SequenceNumber: '1', ShardId: entry.ExplicitHashKey === undefined ? 'shard-0' : 'shard-1' };
    });
    return { Records: results };
  };
}

function options(stream: FakeStream, clock: FakeClock, changes: Partial<ProduceOptions> = {}): ProduceOptions {
  const generator = {
    ...GENERATOR_DEFAULTS,
    seed: 3,
    startMs: 1_790_000_000_000,
    duplicateShare: 0.1,
    garbageShare: 0.02,
  };
  return {
    client: stream as unknown as ProduceOptions['client'],
    stream: 'logins',
    clock,
    signal: new AbortController().signal,
    generator,
    records: 2000,
    ...changes,
  };
}

/** Records and identities that the stream really has. */
function storedIn(stream: FakeStream): { records: number; fresh: number } {
  const batch = decode(stream.stored);
  const shown = stream.stored.map((_, i) => show(batch, i)).filter((one) => typeof one !== 'string');
  return {
    records: stream.stored.length,
    fresh: new Set(shown.map((one) => `${one.timestamp} ${one.player_id}`)).size,
  };
}

async function run(stream: FakeStream, changes: Partial<ProduceOptions> = {}): Promise<ProduceReport> {
  const clock = new FakeClock();
  return clock.runUntil(produce(options(stream, clock, changes)));
}

describe('a run', () => {
  it('stores every record in calls of at most 500, and reports what is true of them', async () => {
    const stream = new FakeStream();
    const folder = mkdtempSync(join(tmpdir(), 'produce-'));
    const truthFile = join(folder, 'truth.json');

    // Nothing waits for time here, but writing a file takes some: no turning of the clock.
    const report = await produce(options(stream, new FakeClock(), { records: 2100, truthFile }));

    expect(stream.callsOf).toEqual([500, 500, 500, 500, 100]);
    expect(report).toMatchObject({ stored: 2100, calls: 5, ambiguousCalls: 0, isCutShort: false });
    expect(report.truth).toMatchObject(storedIn(stream));
    expect(report.duplicatesOnOtherShards).toBe(report.truth.duplicate);
    expect(JSON.parse(readFileSync(truthFile, 'utf8'))).toEqual(report.truth);
    rmSync(folder, { recursive: true });
  });

  it('sends refused entries again, alone, until they are stored, each exactly once', async () => {
    const stream = new FakeStream();
    stream.answer = (call, entries) => (call < 6 ? new Set([...entries.keys()].filter((i) => i % 3 === 0)) : undefined);

    const report = await run(stream, { concurrency: 1, records: 500 });

    expect(stream.callsOf).toEqual([500, 167, 56, 19, 7, 3, 1]);
    expect(report).toMatchObject({ stored: 500, retriedEntries: 167 + 56 + 19 + 7 + 3 + 1, ambiguousCalls: 0 });
    expect(report.truth).toMatchObject(storedIn(stream));
  });

  it.each([
    [true, 500],
    [false, 0],
  ])(
    'counts a call without an answer as ambiguous and sends it again (it was applied: %s)',
    async (stores, storedTwice) => {
      const stream = new FakeStream();
      const error = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
      stream.answer = (call) => (call === 1 ? { error, stores } : undefined);

      const report = await run(stream, { records: 1000 });

      const { records, fresh } = storedIn(stream);
      expect(report).toMatchObject({ ambiguousCalls: 1, ambiguousRecords: 500, stored: 1000 });
      expect(report.truth.fresh).toBe(fresh);
      expect(records - report.truth.records).toBe(storedTwice);
    },
  );

  it.each([
    [
      'a throttled call',
      Object.assign(new Error('x'), { name: 'LimitExceededException', $metadata: { httpStatusCode: 400 } }),
    ],
    ['a stream that is not up yet', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })],
  ])('takes %s for one that stored nothing', async (_, error) => {
    const stream = new FakeStream();
    stream.answer = (call) => (call < 3 ? { error, stores: false } : undefined);

    const report = await run(stream, { records: 600, concurrency: 1 });

    expect(report).toMatchObject({ ambiguousCalls: 0, stored: 600 });
    expect(report.truth).toMatchObject(storedIn(stream));
  });

  it('takes a server error and a call that takes too long for ambiguous ones', async () => {
    const stream = new FakeStream();
    const internal = Object.assign(new Error('x'), { name: 'InternalFailure', $metadata: { httpStatusCode: 500 } });
    const slow = new DOMException('too slow', 'AbortError');
    stream.answer = (call) => (call < 2 ? { error: [internal, slow][call]!, stores: false } : undefined);

    const report = await run(stream, { records: 100 });

    expect(report).toMatchObject({ ambiguousCalls: 2, ambiguousRecords: 200, stored: 100 });
  });

  it('ends with the reason when the stream refuses for good', async () => {
    const stream = new FakeStream();
    const error = Object.assign(new Error('x'), {
      name: 'ResourceNotFoundException',
      $metadata: { httpStatusCode: 400 },
    });
    stream.answer = () => ({ error, stores: false });

    await expect(run(stream)).rejects.toThrow('records cannot be put to the stream logins: ResourceNotFoundException');
  });

  it('keeps to its rate', async () => {
    const stream = new FakeStream();

    const report = await run(stream, { records: 1000, recordsPerSecond: 200 });

    expect(report.elapsedMs).toBeGreaterThanOrEqual(5000);
    expect(report.elapsedMs).toBeLessThan(5100);
    expect(Math.max(...stream.callsOf)).toBeLessThan(10);
  });

  it('that is cut short tells the truth of what was stored, half a batch included', async () => {
    const stream = new FakeStream();
    const controller = new AbortController();
    stream.answer = (call, entries) => {
      if (call < 3) return undefined;
      controller.abort();
      return new Set([...entries.keys()].filter((i) => i % 2 === 0));
    };

    const report = await run(stream, { records: Number.POSITIVE_INFINITY, signal: controller.signal, concurrency: 1 });

    expect(report).toMatchObject({ isCutShort: true, stored: 1750 });
    expect(report.truth).toMatchObject(storedIn(stream));
  });

  it('refuses a client that retries by itself, because nobody could count its copies', async () => {
    const stream = new FakeStream();
    stream.config.maxAttempts = async () => 3;

    await expect(run(stream)).rejects.toThrow('maxAttempts');
  });
});
