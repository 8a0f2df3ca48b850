/** `ledger`: what Redis lost of the exact counts, and the two ways on that only a person may choose. */
import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { createFleetStores } from '../lease/dynamodb/fleet-stores.ts';
import { isHealKey } from '../lease/heal-lease.ts';
import { type Lease, shardIdOf } from '../lease/lease.ts';
import { type Defect, findDefects, type Mending, mend } from '../ledger/mending.ts';
import { systemClock } from '../runtime/clock.ts';
import { StartRefused } from '../runtime/errors.ts';
import { readCliSettings } from './config.ts';
import { type FleetLedger, withFleetLedger } from './fleet-ledger.ts';

interface Flags {
  readonly shard?: string;
  readonly yes?: boolean;
}

interface Found extends FleetLedger {
  readonly leases: readonly Lease[];
  readonly defects: readonly Defect[];
}

const ATTEMPTS = 5;
const EXPLAINED: Readonly<Record<Mending, string>> = {
  rewind: 'counts again, from the beginning of the ledger, what Kinesis still retains of the shards that lost rows',
  continue: 'goes on from the checkpoints: what is lost stays lost, and the slot remembers nothing from before',
};

export function addLedger(program: Command): void {
  const ledger = program
    .command('ledger')
    .description('the state of the ledger, and what to do when Redis lost a part');
  ledger
    .command('status')
    .description('slots, and rows that are missing or behind their checkpoints')
    .option('--json', 'as one JSON object')
    .action((options: { json?: boolean }) => withDefects((found) => showStatus(found, options.json ?? false)));
  for (const mending of ['rewind', 'continue'] as const) {
    ledger
      .command(mending)
      .description(EXPLAINED[mending])
      .option('--shard <id>', 'only this shard; then also a row that is behind and whose records are not retained')
      .option('--yes', 'do it; without, only say what would be done')
      .action((flags: Flags) => withDefects((found) => act(found, mending, flags)));
  }
}

async function withDefects(use: (found: Found) => Promise<void>): Promise<void> {
  const settings = readCliSettings();
  const stores = createFleetStores({ tableName: settings.fleet, clock: systemClock });
  try {
    const leases = (await stores.leases.readAll()).filter(({ key }) => !isHealKey(key));
    await withFleetLedger(settings, async (ledger) => {
      const defects = await findDefects(ledger.reader, ledger.spec, leases);
      await use({ ...ledger, leases, defects });
    });
  } finally {
    stores.close();
  }
}

async function showStatus({ spec, leases, defects, events }: Found, asJson: boolean): Promise<void> {
  const bound = leases.filter(({ ledgerId }) => ledgerId === spec.name).length;
  const others = leases.filter(({ ledgerId }) => ledgerId !== undefined && ledgerId !== spec.name);
  const done = await events.list();
  if (asJson) {
    const otherLedgers = others.map(({ key }) => key);
    process.stdout.write(
      `${JSON.stringify({ ledger: spec.name, slots: spec.slots, bound, otherLedgers, defects, events: done })}\n`,
    );
    return;
  }
  const lines = [`ledger ${spec.name}: ${spec.slots} slot(s), ${bound} shard(s)`];
  if (others.length > 0) lines.push(`${others.length} shard(s) are bound to a ledger of other settings: they halt`);
  lines.push(...defects.map(defectText));
  if (defects.length === 0) lines.push('every row covers its checkpoint');
  const nowMs = systemClock.wallMs();
  for (const { atMs, what, fields } of done) {
    lines.push(`${Math.round((nowMs - atMs) / 1_000)} s ago: ${what} ${JSON.stringify(fields)}`);
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

function defectText({ leaseKey, slot, kind, row }: Defect): string {
  return kind === 'missing'
    ? `slot ${slot} lost ${shardIdOf(leaseKey)}: halted until \`ledger rewind\` or \`ledger continue\``
    : `slot ${slot} is behind the checkpoint of ${shardIdOf(leaseKey)}, at ${row}: it heals by itself, or says LedgerTailNotRetained`;
}

async function act({ reader, spec, leases, defects, events }: Found, mending: Mending, flags: Flags): Promise<void> {
  const chosen = defects.filter(({ leaseKey, kind }) =>
    flags.shard === undefined ? kind === 'missing' : shardIdOf(leaseKey) === flags.shard,
  );
  if (chosen.length === 0) {
    process.stdout.write('nothing to do: no row is missing\n');
    return;
  }
  for (const defect of chosen) process.stdout.write(`${mending}: ${defectText(defect)}\n`);
  if (!flags.yes) throw new StartRefused(`this ${EXPLAINED[mending]}. Nothing was changed: say --yes`);
  const slots = [...new Set(chosen.map(({ slot }) => slot))].join(' ');
  // First the event: whoever is stopped in the middle leaves a trace.
  await events.note({ atMs: systemClock.wallMs(), what: mending, fields: { rows: chosen.length, slots } });
  for (const defect of chosen) {
    const lease = leases.find(({ key }) => key === defect.leaseKey)!;
    for (let attempt = 1; !(await mend(reader, lease, defect, mending, randomBytes(8).toString('hex'))); attempt++) {
      if (attempt < ATTEMPTS) continue;
      throw new StartRefused(`the row of ${defect.leaseKey} in slot ${defect.slot} keeps changing: try again`);
    }
  }
  process.stdout.write(`${chosen.length} row(s) of ${spec.name} were mended; halted shards go on within 10 s\n`);
}
