/** Forgetting in a slot that Redis lost: what a finished shard counted there will be counted again, copies and all. */
import { expect, it } from 'vitest';
import { noCluster } from '../../../../controller/cluster.ts';
import { END, type Position, positionOf, START } from '../../../../lease/position.ts';
import { FORGET_SLACK_MS } from '../../../../ledger/ledger.ts';
import { createReferenceLedger, emptyReferenceState } from '../../../../ledger/reference.ts';
import { createReferenceLedgerJob } from '../../../../ledger/reference-job.ts';
import { buildLease, testLeaseKey } from '../../../support/lease-builder.ts';
import { ledgerSpec } from '../../../support/ledger-builder.ts';
import { listedShard, World } from '../controller-world.ts';

const spec = ledgerSpec();
const [PARENT, CHILD] = [testLeaseKey('shardId-000000000000'), testLeaseKey('shardId-000000000001')];
const PAST_MS = spec.periodMs + spec.horizonMs + FORGET_SLACK_MS + 1;

/** A finished shard and its child, which is far ahead in the only slot. */
function stage() {
  const world = new World();
  const state = emptyReferenceState(spec.slots);
  const [slot] = state.slots;
  world.stream.shards = [
    listedShard('shardId-000000000000', [], true),
    listedShard('shardId-000000000001', ['shardId-000000000000']),
  ];
  world.leaseRows.set(PARENT, buildLease({ key: PARENT, ledgerId: spec.name, checkpoint: { kind: 'SHARD_END' } }));
  world.leaseRows.set(CHILD, buildLease({ key: CHILD, ledgerId: spec.name }));
  const row = (key: string, position: Position, arrivalMs: number): void => {
    slot!.rows.set(key, { ...{ generation: 0, token: '-', floor: START, watermarkMs: 0, position, arrivalMs } });
  };
  row(CHILD, positionOf('9'), PAST_MS);
  slot!.periods.set(0, { buckets: 1, identities: 7, ids: new Set([1]) });
  const ledger = { ...createReferenceLedger(spec, state), ...createReferenceLedgerJob(spec, state) };
  world.startController({ LEDGER_AUDIT_MS: '1000' }, noCluster, { ledger, spec });
  return { world, job: slot!.job, row };
}

it('a slot that lost the row of a finished shard forgets nothing until that shard is counted again to its end', async () => {
  const { world, job, row } = stage();
  await world.clock.advance(20_000);
  expect(job.low).toBe(0);

  row(PARENT, START, 0);
  await world.clock.advance(20_000);
  expect(job.low).toBe(0);

  row(PARENT, END, 0);
  await world.clock.advance(20_000);
  expect(job.low).toBe(1);
  await world.end();
});
