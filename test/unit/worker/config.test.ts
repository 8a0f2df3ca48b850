import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { readWorkerSettings } from '../../../worker/config.ts';

describe("the worker's settings", () => {
  it('need nothing but the stream', () => {
    expect(readWorkerSettings({ STREAM: 'logins' })).toMatchObject({
      stream: 'logins',
      name: hostname(),
      bufferRecords: 100,
      bufferMs: 200,
      checkpointMs: 5_000,
      deadLetterMaxMib: 256,
      shutdownMs: 80_000,
    });
  });

  it('tell all their faults at once, each by its variable', () => {
    const read = () => readWorkerSettings({ BUFFER_RECORDS: '5000', CHECKPOINT_MS: 'soon', REDIS_URL: 'http://x' });

    expect(read).toThrow(/4 setting/);
    for (const variable of ['STREAM', 'BUFFER_RECORDS', 'CHECKPOINT_MS', 'REDIS_URL']) {
      expect(read).toThrow(new RegExp(variable));
    }
  });
});
