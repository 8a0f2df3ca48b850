/** `produce`: seeded logins into a stream, with the truth about them. */
import type { Command } from 'commander';
import { SHARED_SETTINGS } from '../lease/config.ts';
import { GENERATOR_DEFAULTS } from '../producer/generator.ts';
import { createProducerClient } from '../producer/kinesis-client.ts';
import { type ProduceProgress, type ProduceReport, produce } from '../producer/produce.ts';
import { systemClock } from '../runtime/clock.ts';
import { readSettings } from '../runtime/env.ts';
import { positive, share, whole } from './flag-values.ts';

interface Flags {
  readonly records: number;
  readonly rate?: number;
  readonly seed: number;
  readonly duplicates: number;
  readonly garbage: number;
  readonly jsonShare: number;
  readonly v2Share: number;
  readonly players: number;
  readonly aggregate: number;
  readonly truth?: string;
  readonly json?: boolean;
}

const PROGRESS_EVERY_MS = 250;
const MAX_COUNT = 1_000_000_000;
const NEW_YEAR_2026_MS = 1_767_225_600_000;
const DAY_MS = 86_400_000;

export function addProduce(program: Command): void {
  program
    .command('produce')
    .description('puts seeded logins into the stream STREAM and keeps the truth about them')
    .option('--records <n>', 'records in all, copies and garbage included', whole(1, MAX_COUNT), 10_000)
    .option('--rate <n>', 'records per second; default: as fast as the stream takes them', positive)
    .option('--seed <n>', 'every byte follows from it', whole(0, 2 ** 31 - 1), 1)
    .option(
      '--duplicates <share>',
      'copies of earlier logins, in another spelling, on another shard',
      share,
      GENERATOR_DEFAULTS.duplicateShare,
    )
    .option('--garbage <share>', 'records that cannot be decoded', share, GENERATOR_DEFAULTS.garbageShare)
    .option(
      '--json-share <share>',
      'JSON among the new logins; the others are protobuf',
      share,
      GENERATOR_DEFAULTS.jsonShare,
    )
    .option('--v2-share <share>', 'logins with a country (LoginMessageV2)', share, GENERATOR_DEFAULTS.v2Share)
    .option('--players <n>', 'distinct players', whole(1, MAX_COUNT), GENERATOR_DEFAULTS.players)
    .option(
      '--aggregate <n>',
      'logins packed into one Kinesis record, as the producer library does',
      whole(1, 1_000),
      1,
    )
    .option('--truth <file>', 'where to write what `counts --json` must say, as JSON')
    .option('--json', 'progress and report as JSON lines')
    .addHelpText(
      'after',
      `
Two runs with the same seed produce the same logins: the second one consists of duplicates only.
Needs STREAM and the AWS SDK's variables.`,
    )
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const { stream } = readSettings({ stream: SHARED_SETTINGS.stream }, process.env);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new Error(signal)));
  const client = createProducerClient();
  try {
    const report = await produce({
      ...{ client, stream, clock: systemClock, signal: stop.signal, records: flags.records },
      aggregate: flags.aggregate,
      generator: {
        ...GENERATOR_DEFAULTS,
        ...{ seed: flags.seed, startMs: startOf(flags.seed), players: flags.players },
        ...{ duplicateShare: flags.duplicates, garbageShare: flags.garbage },
        ...{ jsonShare: flags.jsonShare, v2Share: flags.v2Share },
      },
      ...(flags.rate !== undefined && { recordsPerSecond: flags.rate }),
      ...(flags.truth !== undefined && { truthFile: flags.truth }),
      onProgress: progressPrinter(flags),
    });
    printReport(report, flags);
    if (report.isCutShort) process.exitCode = 1;
  } finally {
    client.destroy();
  }
}

/** The first login's time: follows from the seed, not from the clock, so that a run can be repeated. */
function startOf(seed: number): number {
  return NEW_YEAR_2026_MS + (seed % 365) * DAY_MS;
}

function progressPrinter(flags: Flags): (progress: ProduceProgress) => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  return ({ stored, elapsedMs }) => {
    if (elapsedMs - lastMs < PROGRESS_EVERY_MS && stored < flags.records) return;
    lastMs = elapsedMs;
    if (flags.json) process.stdout.write(`${JSON.stringify({ produced: stored })}\n`);
    else if (process.stderr.isTTY) process.stderr.write(`\r${stored} of ${flags.records} records `);
  };
}

function printReport(report: ProduceReport, flags: Flags): void {
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(report)}\n`);
    return;
  }
  const seconds = report.elapsedMs / 1_000;
  const lines = [
    `${report.stored} records in ${seconds.toFixed(1)} s (${Math.round(report.stored / seconds)} per second), ${report.retriedEntries} sent again after throttling`,
    `truth: ${JSON.stringify({ ...report.truth, uniquePlayersByCountry: `${Object.keys(report.truth.uniquePlayersByCountry).length} countries` })}`,
  ];
  if (report.ambiguousRecords > 0) {
    lines.push(
      `${report.ambiguousRecords} records had no clear answer and may be stored twice: records, duplicate and undecodable of the truth are lower bounds`,
    );
  }
  process.stdout.write(`${process.stderr.isTTY ? '\n' : ''}${lines.join('\n')}\n`);
}
