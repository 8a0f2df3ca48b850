/**
 * Aggregated records through the whole loop: every user record is counted once, wherever its owner dies and however
 * often its copies come, in the same aggregate, in another one, or by themselves. Beside the shard's log, which knows
 * the truth, stands a source that hands out the same payloads packed.
 */
import { describe, expect, it } from 'vitest';
import { checkpointPosition, type Position, positionOf, subSequenceNumberOf } from '../../../../lease/position.ts';
import { DUPLICATE, FRESH } from '../../../../ledger/counter-names.ts';
import type { WorkerParts } from '../../../../worker/shard/shard-parts.ts';
import type { OpenSource } from '../../../../worker/source/shard-source.ts';
import { FakeSource, rawBatchOf, type ScriptedRecord } from '../../../support/fake-source.ts';
import { aggregateOf } from '../../../support/kpl.ts';
import { ShardWorld } from './shard-world.ts';

type Payload = number | 'x';
const CHILD = {
  shardId: 'shardId-000000000001',
  parentShards: ['shardId-000000000000'],
  startingHashKey: '0',
  endingHashKey: '9',
};
/** More than one commit takes, and copies on both sides of the cut; with copies of others, and of the plain record. */
const LARGE: readonly Payload[] = Array.from({ length: 1_300 }, (_, i) => (i % 97 === 5 ? 'x' : i % 1_100));
const KINESIS_RECORDS: readonly (readonly Payload[])[] = [[1, 2, 1, 1], [2], LARGE, [3, 4_000, 'x', 4_000], [4_001]];

/** A world whose shard's records come packed: one Kinesis record per list; lists of one are plain records. */
class PackedWorld extends ShardWorld {
  /** Where a process began to read. */
  readonly starts: Position[] = [];
  readonly #records: readonly ScriptedRecord[];

  constructor(packed: readonly (readonly Payload[])[], batch = packed.length) {
    super();
    this.shard.put(...packed.flat());
    this.#records = packed.map((payloads, i) => ({
      sequenceNumber: String(10 + i),
      payload: payloads.length === 1 ? String(payloads[0]) : aggregateOf(...payloads.map(String)),
      arrivalMs: 100,
    }));
    // Each part of an aggregate is settled and checkpointed at once, so that lives end in the middle of one.
    this.settleMs = 0;
    this.overrides = { openSource: this.#openSource(batch), checkpointMs: 0 };
  }

  readonly overrides: Pick<WorkerParts, 'openSource' | 'checkpointMs'>;

  /** Like the real source: begins with the record of the start, which may be an aggregate that was left in the middle. */
  #openSource(batch: number): OpenSource {
    return (shardId, start) => {
      const after = checkpointPosition(start);
      this.starts.push(after);
      const left = this.#records.filter(({ sequenceNumber }) => positionOf(sequenceNumber, 99_999_999) >= after);
      const source = new FakeSource(this.clock, shardId, start);
      for (let from = 0; from < left.length; from += batch) source.push(rawBatchOf(left.slice(from, from + batch)));
      source.push(rawBatchOf([], { isShardEnd: true, childShards: [CHILD] }));
      return source;
    };
  }

  async liveToTheEnd(): Promise<void> {
    const heir = this.start(this.overrides);
    expect(await this.clock.runUntil(heir.ended)).toBe('Released');
    await this.assertCounts();
    expect(this.lease.checkpoint.kind).toBe('SHARD_END');
  }
}

describe('a shard of aggregated records', () => {
  it('counts an identity once that comes twice in one batch: in one aggregate, in two, and as a plain record', async () => {
    const world = new PackedWorld([[1, 1, 2], [2, 3], [3]]);

    await world.liveToTheEnd();

    expect(Object.fromEntries(await world.ledger.totals())).toMatchObject({ [FRESH]: 3, [DUPLICATE]: 3 });
  });

  it('keeps each undecodable user record of an aggregate as a dead letter at its own position', async () => {
    const world = new PackedWorld([[1, 'x', 2, 'x'], [3]]);

    await world.liveToTheEnd();

    expect(world.deadLetters).toEqual([positionOf('10', 1), positionOf('10', 3)]);
  });

  it.each(['before', 'after'] as const)(
    'is counted exactly wherever its owner dies, %s the effect of a call',
    async (side) => {
      let insideAggregates = 0;
      for (let call = 1; ; call++) {
        const world = new PackedWorld(KINESIS_RECORDS, 2);
        const victim = world.start(world.overrides, { call, side });
        const isOver = (): boolean => victim.gate.isDead || world.lease.checkpoint.kind === 'SHARD_END';
        await world.clock.advanceUntil(isOver);
        await victim.kill();
        if (world.lease.checkpoint.kind === 'SHARD_END') break;

        await world.liveToTheEnd();

        if (subSequenceNumberOf(world.starts.at(-1)!) > 0) insideAggregates++;
      }
      expect(insideAggregates).toBeGreaterThan(0);
    },
  );
});
