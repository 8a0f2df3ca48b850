/** `counts`: the exact totals of the fleet, from the ledger. */
import type { Command } from 'commander';
import { type FleetCounts, fleetCountsOf } from '../pipelines/fleet-counts.ts';
import { readCliSettings } from './config.ts';
import { withFleetLedger } from './fleet-ledger.ts';

const SHOWN_VALUES = 20;

export function addCounts(program: Command): void {
  program
    .command('counts')
    .description('exact totals of the fleet, read from the ledger in one moment')
    .option('--json', 'as one JSON object, with every value of every counter')
    .addHelpText(
      'after',
      `
records = fresh + duplicate + undecodable. Formats count fresh records; uniques count every record that has an identity.
Needs FLEET, REDIS_URL and PIPELINE as the fleet has them.`,
    )
    .action(async (options: { json?: boolean }) => {
      const counts = await withFleetLedger(readCliSettings(), async ({ reader, pipeline }) =>
        fleetCountsOf(pipeline, await reader.totals()),
      );
      process.stdout.write(options.json ? `${JSON.stringify(counts)}\n` : tableOf(counts));
    });
}

function tableOf(counts: FleetCounts): string {
  const lines: string[] = [];
  for (const [name, value] of Object.entries(counts)) {
    if (typeof value === 'number') {
      lines.push(line(name, value));
      continue;
    }
    const values = Object.entries(value).toSorted(([, a], [, b]) => b - a);
    lines.push(`${name} (${values.length})`);
    for (const [key, count] of values.slice(0, SHOWN_VALUES)) lines.push(line(`  ${key}`, count));
    if (values.length > SHOWN_VALUES) lines.push(`  … and ${values.length - SHOWN_VALUES} more (--json shows all)`);
  }
  return `${lines.join('\n')}\n`;
}

function line(name: string, count: number): string {
  return `${name.padEnd(30)}${count.toLocaleString('en-US').padStart(16)}`;
}
