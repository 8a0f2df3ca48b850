/**
 * Dead letters from end to end: a pipeline that expects JSON is given protobuf, alone and in aggregates; the pipeline is
 * mended, the letters are put through again by the command line, and the counts are those of a fleet that had read them
 * right at once. Kept in Redis, and in a Kinesis stream.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateStreamCommand, DescribeStreamSummaryCommand, PutRecordCommand } from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Child } from '../../../local/child.ts';
import { scrape, sum } from '../../../local/scrape.ts';
import type { Stage } from '../../../local/stage.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { aggregateOf } from '../../support/kpl.ts';
import { startLiveFleet, untilAllHeld } from '../../support/live-fleet.ts';

const inOrder = (a: string, b: string): number => (a < b ? -1 : 1);

const ROOT = join(import.meta.dirname, '../../..');
const LOGINS = readFileSync(join(ROOT, 'pipelines/logins.yaml'), 'utf8');
/** Player `p<n>` at second n. */
const login = (n: number): Buffer => Buffer.from([0x0a, 2, 0x70, 0x30 + n, 0x12, 2, 0x08, n]);
const GARBAGE = Buffer.from([0xff, 0xff]);

describe.each(['redis', 'kinesis'] as const)('dead letters kept in %s', (kind) => {
  const folder = mkdtempSync(join(tmpdir(), 'kinesis-fleet-letters-'));
  const settings = {
    PIPELINES_DIR: join(folder, 'pipelines'),
    ...(kind === 'kinesis' && { DEAD_LETTER_STREAM: 'dead' }),
  };
  let stage: Stage;

  beforeAll(async () => {
    mkdirSync(settings.PIPELINES_DIR);
    symlinkSync(join(ROOT, 'proto'), join(folder, 'proto'));
    writeFileSync(join(settings.PIPELINES_DIR, 'logins.yaml'), LOGINS.replace('format: auto', 'format: json'));
    stage = await startLiveFleet({ workers: 1, shards: 1, settings });
    await untilAllHeld(stage, 60_000);
  });

  afterAll(async () => {
    await stage.abort();
    rmSync(folder, { recursive: true, force: true });
  });

  async function put(data: Uint8Array): Promise<void> {
    await stage.kinesis.send(new PutRecordCommand({ StreamName: stage.stream, PartitionKey: 'p', Data: data }));
  }

  async function command(...args: string[]): Promise<{ readonly code: number | null; readonly lines: string[] }> {
    const lines: string[] = [];
    const child = new Child({
      ...{ name: 'dead-letters', command: process.execPath, clock: systemClock },
      args: [join(ROOT, 'cli/main.ts'), 'dead-letters', ...args],
      env: { ...stage.env, ...settings },
      onLine: (line) => lines.push(line),
    });
    const code = await child.exited;
    return { code: typeof code === 'number' ? code : null, lines };
  }

  async function letters(): Promise<{ id: string; reason: string; position: string; bytes: string }[]> {
    return (await command('list', '--json')).lines.map((line) => JSON.parse(line));
  }

  it.runIf(kind === 'kinesis')(
    'are waited for while their stream is not there: the shard stands still, visibly',
    async () => {
      await put(GARBAGE);
      const waiting = async (): Promise<number> =>
        sum((await scrape(stage.fleet.workers[0]!.httpUrl)) ?? [], 'kinesis_fleet_shards_waiting', {
          for: 'dead-letters',
        });
      for (let tries = 0; (await waiting()) === 0 && tries < 1_000; tries++) await systemClock.sleep(50);
      expect(await waiting()).toBe(1);

      await stage.kinesis.send(new CreateStreamCommand({ StreamName: 'dead', ShardCount: 2 }));
      const isActive = async (): Promise<boolean> =>
        (await stage.kinesis.send(new DescribeStreamSummaryCommand({ StreamName: 'dead' }))).StreamDescriptionSummary
          ?.StreamStatus === 'ACTIVE';
      while (!(await isActive())) await systemClock.sleep(20);
      for (let tries = 0; (await waiting()) === 1 && tries < 1_000; tries++) await systemClock.sleep(50);
      expect(await waiting()).toBe(0);
      expect(await letters()).toHaveLength(1);
    },
  );

  it('are listed and shown with where they came from, user records of aggregates by themselves', async () => {
    const before = kind === 'kinesis' ? 1 : 0;
    await put(aggregateOf(login(1), '{"playerId":"p9","timestamp":"1970-01-01T00:00:09Z"}', login(2), login(2)));
    await put(login(3));
    await stage.untilCounted(5 + before, 60_000, 500);

    const kept = (await letters()).filter(({ bytes }) => bytes !== GARBAGE.toString('base64'));

    expect(kept.map(({ bytes }) => bytes).toSorted(inOrder)).toEqual(
      [1, 2, 2, 3].map((n) => login(n).toString('base64')).toSorted(inOrder),
    );
    expect(kept.map(({ position }) => position.slice(-2)).toSorted(inOrder)).toEqual(['00', '00', '02', '03']);
    const [letter] = kept;
    const { lines } = await command('show', letter!.id);
    expect(lines.join('\n')).toContain('malformed_json');
    expect(lines.join('\n')).toContain(
      Buffer.from(letter!.bytes, 'base64')
        .subarray(0, 4)
        .toString('hex')
        .replaceAll(/..(?=.)/g, '$& '),
    );
  });

  it('go the normal way when they are put through again, and each login is counted once', async () => {
    const before = kind === 'kinesis' ? 1 : 0;
    expect((await command('replay')).code).toBe(1);
    writeFileSync(join(settings.PIPELINES_DIR, 'logins.yaml'), LOGINS);
    await stage.fleet.kill(stage.fleet.workers[0]!);
    await stage.fleet.scale(1);
    await put(login(3));
    expect((await stage.untilCounted(6 + before, 60_000, 500)).fresh).toBe(2);

    const replayed = await command('replay', '--reason', 'malformed_json');

    const put4 = 4 + before;
    expect(replayed.lines[0]).toBe(
      `${put4} put back into their stream, ${kind === 'redis' ? put4 : 0} taken out of the store`,
    );
    const counted = await stage.untilCounted(6 + before + put4, 60_000, 500);
    expect(counted).toMatchObject({ fresh: 4, duplicate: 2, undecodable: 4 + 2 * before, uniquePlayers: 4 });
    expect(await letters()).toHaveLength(kind === 'redis' ? 0 : 6);
  });
});
