/** What a worker waits for before it joins: here the fleet row. */
import { describe, expect, it } from 'vitest';
import { SCHEMA_VERSION } from '../../../lease/worker-store.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { untilFleet } from '../../../worker/startup.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const ROW = {
  ...{ streamArn: 'arn:aws:kinesis:eu-west-1:1:stream/logins', streamCreationEpochSeconds: 1 },
  ...{ schemaVersion: SCHEMA_VERSION, hashSeed: '0'.repeat(32), workers: [] },
};

describe('the fleet row', () => {
  it('of another schema version is waited for, in words, until it is of ours', async () => {
    const clock = new FakeClock();
    const said: string[] = [];
    const waits: (string | undefined)[] = [];
    const logger = createLogger('info', {}, { write: (line: string) => said.push(line) });
    const parts = { clock, logger, signal: new AbortController().signal, onWait: (what?: string) => waits.push(what) };
    let schemaVersion = 99;
    const readFleet = () => Promise.resolve({ ...ROW, schemaVersion });

    const fleet = untilFleet(parts, { readFleet }, 'logins');
    await clock.advance(60_000);
    const whileForeign = waits.at(-1);
    schemaVersion = SCHEMA_VERSION;
    await clock.runUntil(fleet);

    expect(whileForeign).toBe('fleet row');
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('has rows of version 99, this program knows version 1');
    expect(waits.at(-1)).toBeUndefined();
  });
});
