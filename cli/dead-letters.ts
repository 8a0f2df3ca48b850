/** `dead-letters`: the records that could not be processed: list them, look at one, put them through again. */
import { type Command, InvalidArgumentError } from 'commander';
import { createProducerClient } from '../producer/kinesis-client.ts';
import { isoTime, systemClock } from '../runtime/clock.ts';
import { FleetError } from '../runtime/errors.ts';
import type { DeadLetter } from '../worker/sink/dead-letter.ts';
import { readCliSettings } from './config.ts';
import { whole } from './flag-values.ts';
import { withLetters } from './letter-sources.ts';
import { letterId, replayLetters } from './replay-letters.ts';

interface Filter {
  readonly reason?: string;
  readonly shard?: string;
}

const MAX_LISTED = 1_000_000;
const SHOWN_BYTES = 512;

export function addDeadLetters(program: Command): void {
  const group = program
    .command('dead-letters')
    .description('records that could not be processed: list, show, replay')
    .addHelpText(
      'after',
      `
Needs FLEET, REDIS_URL and PIPELINE as the fleet has them, and DEAD_LETTER_STREAM if the fleet keeps them in Kinesis.`,
    );
  withFilter(group.command('list').description('oldest first, one line each'))
    .option('--limit <n>', 'lines', whole(1, MAX_LISTED), 100)
    .option('--json', 'as JSON lines, with the bytes as base64')
    .action(list);
  group
    .command('show')
    .description('one dead letter: where it came from, why it is here, its first bytes')
    .argument('<id>', 'as `list` shows it', anId)
    .option('--raw', 'only its bytes, all of them')
    .action(show);
  withFilter(group.command('replay').description('puts dead letters back into their stream'))
    .argument('[ids...]', 'which; none = --all or a filter must be given', (id: string, ids: string[] = []) => [
      ...ids,
      anId(id),
    ])
    .option('--all', 'all of them')
    .option('--keep', 'do not take them out of the store')
    .addHelpText(
      'after',
      `
They go the way of every record: decoded, deduplicated, counted. One that still cannot be processed is a new dead letter.
A letter is taken out of the store when Kinesis has it (a Kinesis stream of dead letters keeps its own until retention).`,
    )
    .action(replay);
}

function withFilter(command: Command): Command {
  return command
    .option('--reason <word>', 'only with this reason')
    .option('--shard <id>', 'only from this shard, for instance shardId-000000000003');
}

function anId(text: string): string {
  if (!/^[0-9a-f]{12}$/.test(text)) throw new InvalidArgumentError('An id has 12 hex digits.');
  return text;
}

function passes({ reason, shard }: Filter, letter: DeadLetter): boolean {
  return (
    (reason === undefined || letter.reason === reason) && (shard === undefined || letter.shard.endsWith(`:${shard}`))
  );
}

async function list(flags: Filter & { readonly limit: number; readonly json?: boolean }): Promise<void> {
  await withLetters(readCliSettings(), async (source) => {
    let left = flags.limit;
    for await (const letter of source.letters()) {
      if (!passes(flags, letter)) continue;
      process.stdout.write(flags.json ? `${JSON.stringify(jsonOf(letter))}\n` : `${lineOf(letter)}\n`);
      left -= 1;
      if (left === 0) break;
    }
    const totals = flags.json ? undefined : await source.totals();
    if (!totals) return;
    const { letters, bytes, dropped } = totals;
    process.stderr.write(`${letters} dead letters, ${(bytes / 2 ** 20).toFixed(1)} MiB; ${dropped} made room\n`);
  });
}

async function show(id: string, flags: { readonly raw?: boolean }): Promise<void> {
  const letter = await withLetters(readCliSettings(), async (source) => {
    for await (const each of source.letters()) if (letterId(each) === id) return each;
    return undefined;
  });
  if (!letter) throw new FleetError(`there is no dead letter ${id}`, { code: 'NoSuchLetter', disposition: 'fatal' });
  process.stdout.write(flags.raw ? letter.bytes : describe(letter));
}

async function replay(
  ids: readonly string[],
  flags: Filter & { readonly all?: boolean; readonly keep?: boolean },
): Promise<void> {
  const hasFilter = flags.reason !== undefined || flags.shard !== undefined;
  if (ids.length === 0 && !hasFilter && !flags.all) {
    throw new FleetError('say which: ids, --reason, --shard or --all', { code: 'NothingChosen', disposition: 'fatal' });
  }
  const wanted = new Set(ids);
  const isWanted = (letter: DeadLetter): boolean =>
    passes(flags, letter) && (wanted.size === 0 || wanted.has(letterId(letter)));
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new Error(signal)));
  const client = createProducerClient();
  try {
    const { put, removed } = await withLetters(readCliSettings(), (source) =>
      replayLetters({ source, client, clock: systemClock, signal: stop.signal, isWanted, keep: flags.keep ?? false }),
    );
    process.stdout.write(`${put} put back into their stream, ${removed} taken out of the store\n`);
    if (put < wanted.size) process.exitCode = 1;
  } finally {
    client.destroy();
  }
}

function lineOf(letter: DeadLetter): string {
  const { arrivalMs, shard, position, reason, bytes } = letter;
  const shardId = shard.slice(shard.lastIndexOf(':') + 1);
  const size = `${bytes.length} B`.padStart(10);
  return [letterId(letter), isoTime(arrivalMs), shardId, reason.padEnd(20), size, shortPosition(position)].join('  ');
}

/** Without the zeros that only make it sort. */
function shortPosition(position: string): string {
  const [sequenceNumber = '', sub = ''] = position.split('.');
  return `${sequenceNumber.replace(/^0+(?=\d)/, '')}.${Number(sub)}`;
}

function jsonOf(letter: DeadLetter): Record<string, unknown> {
  const { stream, shard, position, arrivalMs, reason, bytes } = letter;
  const payload = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  return { id: letterId(letter), stream, shard, position, arrival: isoTime(arrivalMs), reason, bytes: payload };
}

function describe(letter: DeadLetter): string {
  const { stream, shard, position, arrivalMs, reason, bytes } = letter;
  const facts = {
    ...{ id: letterId(letter), reason, stream, shard, position: shortPosition(position) },
    ...{ arrival: isoTime(arrivalMs), bytes: bytes.length },
  };
  const lines = Object.entries(facts).map(([name, value]) => `${name.padEnd(10)}${value}`);
  const more = bytes.length > SHOWN_BYTES ? [`… and ${bytes.length - SHOWN_BYTES} bytes more (--raw gives all)`] : [];
  return `${[...lines, '', ...hexDump(bytes.subarray(0, SHOWN_BYTES)), ...more].join('\n')}\n`;
}

function hexDump(bytes: Uint8Array): string[] {
  return Array.from({ length: Math.ceil(bytes.length / 16) }, (_, row) => {
    const part = [...bytes.subarray(row * 16, row * 16 + 16)];
    const hex = part.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = part.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    return `${(row * 16).toString(16).padStart(6, '0')}  ${hex.padEnd(47)}  ${text}`;
  });
}
