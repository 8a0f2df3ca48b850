/** `status`: shards, owners and lag, from the fleet table and the ledger's rows. No process of the fleet is asked. */
import type { Command } from 'commander';
import { createFleetStores } from '../lease/dynamodb/fleet-stores.ts';
import { isHealKey } from '../lease/heal-lease.ts';
import { isFinished, type Lease } from '../lease/lease.ts';
import type { LedgerRow } from '../ledger/ledger.ts';
import { systemClock } from '../runtime/clock.ts';
import { readCliSettings } from './config.ts';
import { withFleetLedger } from './fleet-ledger.ts';

interface ShardStatus {
  readonly shard: string;
  readonly state: string;
  readonly owner: string;
  readonly generation: number;
  readonly checkpoint: string;
  readonly lagSeconds: number | null;
}

export function addStatus(program: Command): void {
  program
    .command('status')
    .description('shards of the stream, who owns them, and how far behind they are')
    .option('--json', 'as a JSON array')
    .option('--all', 'finished shards too')
    .addHelpText(
      'after',
      `
Lag is the time before which all that arrived is surely counted: a few seconds, for settling, even on an idle shard.
The momentary lag is the workers' metric kinesis_fleet_shard_lag_seconds.
Needs FLEET, REDIS_URL, PIPELINE and the AWS SDK's variables as the fleet has them.`,
    )
    .action(async (options: { json?: boolean; all?: boolean }) => {
      const shards = await readStatus(options.all ?? false);
      process.stdout.write(options.json ? `${JSON.stringify(shards)}\n` : tableOf(shards));
    });
}

async function readStatus(all: boolean): Promise<ShardStatus[]> {
  const settings = readCliSettings();
  const stores = createFleetStores({ tableName: settings.fleet, clock: systemClock });
  try {
    const leases = (await stores.leases.readAll()).filter(({ key }) => !isHealKey(key));
    const shown = leases.filter((lease) => all || !isFinished(lease));
    const rows = await withFleetLedger(settings, ({ reader }) => reader.rows(0));
    return shown.map((lease) => statusOf(lease, rows.get(lease.key))).toSorted((a, b) => (a.shard < b.shard ? -1 : 1));
  } finally {
    stores.close();
  }
}

function statusOf(lease: Lease, row: LedgerRow | undefined): ShardStatus {
  const arrivalMs = row?.arrivalMs ?? 0;
  return {
    shard: lease.shardId,
    state: stateOf(lease),
    owner: lease.owner ?? '-',
    generation: lease.generation,
    checkpoint: lease.checkpoint.kind === 'AFTER' ? lease.checkpoint.position : lease.checkpoint.kind,
    lagSeconds: isFinished(lease) || arrivalMs === 0 ? null : Math.max(0, (systemClock.wallMs() - arrivalMs) / 1_000),
  };
}

function stateOf(lease: Lease): string {
  if (isFinished(lease)) return 'finished';
  if (lease.checkpointOwner !== undefined) return 'handing';
  return lease.owner === undefined ? 'free' : 'held';
}

function tableOf(shards: readonly ShardStatus[]): string {
  const rows = shards.map((s) => [
    s.shard,
    s.state,
    s.owner,
    String(s.generation),
    lagText(s.lagSeconds),
    s.checkpoint,
  ]);
  const all = [['SHARD', 'STATE', 'OWNER', 'GENERATION', 'LAG', 'CHECKPOINT'], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  return `${all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')}\n`;
}

function lagText(lagSeconds: number | null): string {
  return lagSeconds === null ? '-' : `${lagSeconds.toFixed(1)} s`;
}
