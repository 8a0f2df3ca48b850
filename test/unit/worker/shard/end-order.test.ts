/** What is done of a shard when its children may begin: so the records of a key stay in order over a reshard. */
import { describe, expect, it } from 'vitest';
import { END } from '../../../../lease/position.ts';
import { RecordingSink } from '../../../support/recording-sink.ts';
import { at, ShardWorld } from './shard-world.ts';

const CHILD = {
  shardId: 'shardId-000000000001',
  parentShards: ['shardId-000000000000'],
  startingHashKey: '0',
  endingHashKey: '9',
};

describe('a shard that is called ended', () => {
  it('was delivered in order to its last record, counted, and has no dead letter outstanding', async () => {
    const world = new ShardWorld();
    const sink = new RecordingSink();
    const identities = Array.from({ length: 40 }, (_, i) => i + 1);
    world.shard.put(...identities, 'x');
    world.endShard([CHILD]);
    const seen: unknown[] = [];
    world.store.faults.onCall = async (method) => {
      if (method !== 'shardEnd') return undefined;
      const totals = await world.ledger.totals();
      seen.push({ delivered: [...sink.delivered], counted: totals.get('f'), letters: [...world.deadLetters] });
      return undefined;
    };
    const process = world.start({ streamingSinks: [sink] });
    expect(await world.clock.runUntil(process.ended)).toBe('Released');

    const delivered = identities.map((n) => `${at(n)} ${n}`);
    expect(seen).toEqual([{ delivered, counted: 40, letters: [at(41)] }]);
    expect(world.rowPositions()).toEqual([END, END]);
  });
});
