/**
 * A person at the `ledger` command: sees that a slot has lost rows, by what shards and controllers show, and rewinds what
 * is missing, as cli/ledger.ts does it. What nobody shows is not mended. May be interrupted anywhere, and comes again.
 */
import { isHealKey } from '../../lease/heal-lease.ts';
import type { Lease } from '../../lease/lease.ts';
import { LedgerUnavailable } from '../../ledger/ledger.ts';
import { findDefects, mend } from '../../ledger/mending.ts';
import { FleetError } from '../../runtime/errors.ts';
import { TABLE } from './edges.ts';
import type { SimProcess } from './sim-process.ts';
import type { World } from './world.ts';

const LOOK_MS = 1_000;
const BETWEEN_MENDS_MS = 1_500;
const LOST = 'LedgerSlotLost';

export async function runOperator(world: World, process: SimProcess): Promise<void> {
  const link = world.redis.connect(process);
  const ledger = { ...world.redis.ledgerOf(process, link), totals: () => world.redis.totals() };
  const leases = world.wire.gate(process, TABLE, world.leaseStoreOf(process));
  const rewind = async (): Promise<void> => {
    const { spec } = world.settings;
    const found = (await leases.readAll()).filter(({ key }) => !isHealKey(key));
    const byKey = new Map<string, Lease>(found.map((lease) => [lease.key, lease]));
    const defects = await findDefects(ledger, spec, found);
    // The table lists its rows in no order, and shards may be mended one by one.
    const inAnyOrder = defects.map((defect) => ({ defect, at: world.random.next() })).toSorted((a, b) => a.at - b.at);
    for (const { defect } of inAnyOrder) {
      if (defect.kind !== 'missing') continue;
      await process.sleep(world.random.int(BETWEEN_MENDS_MS));
      world.rare.saw('rewound');
      world.trace.note(process.name, 'rewinds', () => `${defect.leaseKey} in slot ${defect.slot}`);
      await mend(ledger, byKey.get(defect.leaseKey)!, defect, 'rewind', 'of no use here');
    }
  };
  while (!process.terminated.signal.aborted) {
    await process.sleep(LOOK_MS);
    if (!isSeen(world)) continue;
    try {
      await rewind();
    } catch (error) {
      // What was not mended is seen again.
      if (!(error instanceof LedgerUnavailable || error instanceof FleetError)) throw error;
    }
  }
}

/** Does a halted shard say so, or a controller that leads? */
function isSeen({ workersRunning, controllersRunning }: World): boolean {
  const shards = [...workersRunning.values()].flatMap((worker) => worker.shards);
  const conditions = [...controllersRunning.values()].flatMap((controller) => controller.state().conditions);
  return shards.some(({ condition }) => condition === LOST) || conditions.includes(LOST);
}
