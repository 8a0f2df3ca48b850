/** The ledger job and its heal leases, in a controller that leads. */
import { describe, expect, it } from 'vitest';
import { noCluster } from '../../../../controller/cluster.ts';
import { healKeyOf } from '../../../../lease/heal-lease.ts';
import type { Lease } from '../../../../lease/lease.ts';
import { END, type Position, positionOf, START } from '../../../../lease/position.ts';
import { FORGET_SLACK_MS } from '../../../../ledger/ledger.ts';
import { createReferenceLedger, emptyReferenceState } from '../../../../ledger/reference.ts';
import { createReferenceLedgerJob } from '../../../../ledger/reference-job.ts';
import { buildLease } from '../../../support/lease-builder.ts';
import { ledgerSpec } from '../../../support/ledger-builder.ts';
import { listedShard, World } from '../controller-world.ts';

const spec = ledgerSpec({ slots: 2 });
const PREFIX = '123456789012:logins:1790000000:';
const FINISHED = `${PREFIX}shardId-000000000000`;
const OPEN = `${PREFIX}shardId-000000000001`;
const HEAL = healKeyOf(FINISHED);
const PAST_MS = spec.periodMs + spec.horizonMs + FORGET_SLACK_MS + 1;

/** A stream with one finished and one open shard, both bound to the ledger, whose rows the test sets. */
function stage() {
  const world = new World();
  const state = emptyReferenceState(spec.slots);
  const ledger = { ...createReferenceLedger(spec, state), ...createReferenceLedgerJob(spec, state) };
  world.stream.shards = [
    listedShard('shardId-000000000000', [], true),
    listedShard('shardId-000000000001', ['shardId-000000000000']),
  ];
  const put = (key: string, checkpoint: Lease['checkpoint']): void => {
    const shardId = key.slice(PREFIX.length);
    world.leaseRows.set(key, buildLease({ key, shardId, ledgerId: spec.name, checkpoint }));
  };
  put(FINISHED, { kind: 'SHARD_END' });
  put(OPEN, { kind: 'TRIM_HORIZON' });
  const row = (slot: number, key: string, position: Position, arrivalMs = PAST_MS): void => {
    state.slots[slot]!.rows.set(key, {
      ...{ generation: 0, token: '-', floor: START, watermarkMs: 0, position, arrivalMs },
    });
  };
  for (const slot of [0, 1]) {
    row(slot, FINISHED, END);
    row(slot, OPEN, positionOf('9'));
    state.slots[slot]!.periods.set(0, { buckets: 2_500, identities: 7, ids: new Set([1]) });
  }
  const start = () => world.startController({ LEDGER_AUDIT_MS: '1000' }, noCluster, { ledger, spec });
  return { world, state, row, start };
}

describe('the ledger job', () => {
  it('forgets a period in every slot that nobody needs it in, and sweeps its keys', async () => {
    const { world, state, row, start } = stage();
    row(1, OPEN, positionOf('9'), PAST_MS - 1);
    const { controller } = start();
    await world.clock.advance(20_000);
    expect(state.slots.map(({ job, periods }) => [job.low, periods.has(0)])).toEqual([
      [1, false],
      [0, true],
    ]);
    expect(controller.state().ledger).toMatchObject({ shardsBehind: 0, periods: 1, identities: 7 });
    await world.end();
  });

  it('forgets nothing while a shard that is not finished has no row', async () => {
    const { world, state, start } = stage();
    state.slots[0]!.rows.delete(OPEN);
    const { controller } = start();
    await world.clock.advance(20_000);
    expect(state.slots.map(({ job }) => job.low)).toEqual([0, 1]);
    expect(controller.state().conditions).toContain('LedgerSlotLost');
    await world.end();
  });

  it('forgets nothing while a shard without a row has a lease that cannot be read, and keeps its rows', async () => {
    const { world, state, start } = stage();
    state.slots[0]!.rows.delete(OPEN);
    start().leases.broken.add(OPEN);
    await world.clock.advance(20_000);
    expect(state.slots.map(({ job }) => job.low)).toEqual([0, 1]);
    await world.end();
  });

  it('drops no row of a lease that cannot be read', async () => {
    const { world, state, start } = stage();
    world.stream.shards = world.stream.shards!.slice(1);
    start().leases.broken.add(FINISHED);
    await world.clock.advance(20_000);
    expect([...state.slots[0]!.rows.keys()]).toContain(FINISHED);
    await world.end();
  });

  it('works in a generation of its own, which refuses the job of an earlier leader', async () => {
    const { world, state, start } = stage();
    start();
    await world.clock.advance(5_000);
    const first = state.slots[0]!.job.generation;
    expect(first).toBe(1);
    await world.end();
    start();
    await world.clock.advance(30_000);
    expect(state.slots.map(({ job }) => job.generation)).toEqual([first + 1, first + 1]);
    await world.end();
  });

  it('climbs above a generation that the ledger remembers of a fleet table that is lost', async () => {
    const { world, state, start } = stage();
    for (const { job } of state.slots) job.generation = 40;
    start();
    await world.clock.advance(10_000);
    expect(state.slots.map(({ job }) => job.generation)).toEqual([41, 41]);
    await world.end();
  });

  it('drops rows of shards that are gone from the table and from the stream', async () => {
    const { world, state, row, start } = stage();
    for (const slot of [0, 1]) row(slot, `${PREFIX}shardId-000000000007`, END);
    start();
    await world.clock.advance(20_000);
    expect([...state.slots[1]!.rows.keys()]).toEqual([FINISHED, OPEN]);
    await world.end();
  });
});

describe('a finished shard that is behind its end', () => {
  it('gets a heal lease, which a living worker is told to hold, and its SHARD_END stays', async () => {
    const { world, row, start } = stage();
    row(1, FINISHED, positionOf('5'));
    const worker = world.startWorker('worker-a');
    const { controller, workers } = start();
    await world.clock.advance(10_000);

    expect(controller.state().conditions).toContain('LedgerBehind');
    expect(world.leaseRows.get(HEAL)).toMatchObject({ owner: worker.id, generation: 1 });
    expect(world.leaseRows.get(FINISHED)?.checkpoint).toEqual({ kind: 'SHARD_END' });
    const { orders } = (await workers.readOrders(worker.id))!;
    expect(orders).toContainEqual({ leaseKey: HEAL, verb: 'hold' });
    await world.end();
  });

  it('keeps its healer while its own row cannot be read', async () => {
    const { world, row, start } = stage();
    row(1, FINISHED, positionOf('5'));
    const worker = world.startWorker('worker-a');
    const { leases } = start();
    await world.clock.advance(10_000);
    leases.broken.add(FINISHED);
    await world.clock.advance(40_000);
    expect(world.leaseRows.get(HEAL)).toMatchObject({ owner: worker.id, generation: 1 });
    await world.end();
  });

  it('is given to another worker when its healer dies, in a new generation', async () => {
    const { world, row, start } = stage();
    row(1, FINISHED, positionOf('5'));
    const worker = world.startWorker('worker-a');
    start();
    await world.clock.advance(10_000);
    worker.kill();
    world.startWorker('worker-b');
    await world.clock.advance(60_000);
    expect(world.leaseRows.get(HEAL)).toMatchObject({ owner: 'worker-b', generation: 2 });
    await world.end();
  });

  it('is healed again, in a new generation, when Redis loses it again after it was healed', async () => {
    const { world, row, start } = stage();
    row(1, FINISHED, positionOf('5'));
    world.startWorker('worker-a');
    start();
    await world.clock.advance(10_000);
    row(1, FINISHED, END);
    const { owner: _, ...heal } = world.leaseRows.get(HEAL)!;
    world.leaseRows.set(HEAL, { ...heal, checkpoint: { kind: 'SHARD_END' } });
    await world.clock.advance(60_000);
    expect(world.leaseRows.get(HEAL)).not.toHaveProperty('owner');

    row(0, FINISHED, positionOf('5'));
    await world.clock.advance(60_000);
    expect(world.leaseRows.get(HEAL)).toMatchObject({ owner: 'worker-a', generation: 3 });
    await world.end();
  });
});
