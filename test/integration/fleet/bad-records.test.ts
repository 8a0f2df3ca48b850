/** Records that cannot be processed, and what a fleet may not say aloud: real processes, real wire. */
import { PutRecordCommand } from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scrape, sum } from '../../../local/scrape.ts';
import type { Stage } from '../../../local/stage.ts';
import { startLiveFleet, untilAllHeld } from '../../support/live-fleet.ts';

const PLAYER = 'player-nobody-may-read-in-a-log';
const MIB = 1024 * 1024;

/** Reason to payload. */
const BAD: readonly (readonly [reason: string, data: Uint8Array])[] = [
  ['malformed_protobuf', Buffer.from([0xff, 0xff, 0xff, 0xff, 0x07, 0x42])],
  ['malformed_json', Buffer.from(`{"playerId":"${PLAYER}"`)],
  ['not_an_object', Buffer.from(`["${PLAYER}"]`)],
  ['wrong_type', Buffer.from('{"playerId":7,"timestamp":"2026-01-01T00:00:00Z"}')],
  ['bad_timestamp', Buffer.from(`{"playerId":"${PLAYER}","timestamp":"yesterday"}`)],
  ['missing_player_id', Buffer.from('{"timestamp":"2026-01-01T00:00:00Z"}')],
  ['missing_timestamp', Buffer.from(`{"playerId":"${PLAYER}"}`)],
  ['empty', Buffer.alloc(0)],
  ['malformed_protobuf', Buffer.alloc(MIB - 64, 0xff)],
];
const GOOD = Buffer.from(`{"playerId":"${PLAYER}","timestamp":"2026-01-01T00:00:00Z","country":"DE"}`);

describe('a fleet that is given what it cannot process', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startLiveFleet({ workers: 1, shards: 1, settings: { LOG_LEVEL: 'debug' } });
    await untilAllHeld(stage);
  });
  afterAll(async () => {
    await stage.abort();
  });

  it('counts each with its reason, keeps it as a dead letter, and goes on with the good ones', async () => {
    // Act
    const put = (data: Uint8Array): Promise<unknown> =>
      stage.kinesis.send(new PutRecordCommand({ StreamName: stage.stream, PartitionKey: PLAYER, Data: data }));
    for (const [, data] of BAD) await put(data);
    await put(GOOD);
    const counted = await stage.untilCounted(BAD.length + 1, 20_000, 500);

    // Assess
    expect(counted).toMatchObject({ records: BAD.length + 1, fresh: 1, undecodable: BAD.length, uniquePlayers: 1 });
    const samples = (await scrape(stage.fleet.workers[0]!.httpUrl)) ?? [];
    for (const reason of new Set(BAD.map(([word]) => word))) {
      const expected = BAD.filter(([word]) => word === reason).length;
      expect([reason, sum(samples, 'kinesis_fleet_records_undecodable_total', { reason })]).toEqual([reason, expected]);
    }
    expect(sum(samples, 'kinesis_fleet_dead_letters_stored_total')).toBe(BAD.length);
    expect(stage.fleet.workers[0]!.child.ended).toBeUndefined();
  });

  it('says no player, no payload and no password in any log line, not even at level debug', () => {
    const lines = [...stage.fleet.workers, ...stage.fleet.controllers].flatMap((member) => member.child.lines);
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.filter((line) => /player-nobody|AWS_SECRET|yesterday/.test(line))).toEqual([]);
  });
});
