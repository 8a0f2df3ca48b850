/** `npm run chaos`: its flags, its help, its exit code. What it does is in run.ts. */
import { Command } from 'commander';
import { positive, whole } from '../../cli/flag-values.ts';
import { systemClock } from '../../runtime/clock.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { DECK, named } from './deck.ts';
import { describeFault } from './fault.ts';
import { ALL_REDIS_FAULTS, runRedisFaults } from './redis-run.ts';
import { reportText } from './report.ts';
import { planOf, runChaos } from './run.ts';

interface Flags {
  readonly minutes: number;
  readonly seed: number;
  readonly workers: number;
  readonly shards: number;
  readonly rate: number;
  readonly leaseMs: number;
  readonly within: number;
  readonly card?: readonly string[];
  readonly plan?: boolean;
  readonly keepLogs?: boolean;
  readonly redis?: boolean;
  readonly seeds: number;
}

const EXIT_INTERRUPTED = 130;

const say = (line: string): boolean => process.stdout.write(`${line}\n`);

/** Aborts when somebody ends this program, or stops to read what it says. */
function untilEnded(): AbortController {
  const stop = new AbortController();
  // Whoever reads may leave (`| head`): then everything ends too, in place of being left behind.
  process.stdout.on('error', (error) => stop.abort(error));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => stop.abort(new Error(signal)));
  return stop;
}

function listed(cards: readonly { readonly name: string }[]): string {
  return cards.map(({ name }) => `  ${name}`).join('\n');
}

/** @throws CommanderError, which ends the program with its message, for a name that none has. */
function chosen<T extends { readonly name: string }>(all: readonly T[], names: readonly string[] | undefined): T[] {
  try {
    return names ? named(all, names) : [...all];
  } catch (error) {
    return program.error(`${errorMessage(error)} (--help lists them)`);
  }
}

async function run(flags: Flags): Promise<void> {
  if (flags.redis) return runRedis(flags);
  const { seed, workers, shards, leaseMs } = flags;
  const cards = chosen(DECK, flags.card);
  const durationMs = flags.minutes * 60_000;
  const gapMs = [leaseMs / 4, leaseMs] as const;
  const options = { seed, workers, shards, leaseMs, durationMs, gapMs, cards };
  const stop = untilEnded();
  const { slots, faults } = planOf(options);
  say(`seed ${seed}: ${faults.length} faults in ${flags.minutes} minutes. Clocks at the start:`);
  say(slots.map(({ name, clockOffsetMs }) => `${name} ${clockOffsetMs / 60_000} min`).join(', '));
  if (flags.plan) {
    for (const { atMs, fault } of faults) say(`${(atMs / 1_000).toFixed(1).padStart(7)} s  ${describeFault(fault)}`);
    return;
  }
  try {
    const report = await runChaos({
      ...{ ...options, ratePerSecond: flags.rate, countWithinMs: flags.within * 1_000 },
      ...{ clock: systemClock, signal: stop.signal, say },
    });
    say(`\n${reportText(report)}`);
    if (flags.keepLogs) say(`logs: ${report.fleet.logs.dir}`);
    else if (report.good) report.fleet.logs.remove();
    process.exitCode = report.good ? 0 : 1;
  } catch (error) {
    process.stderr.write(`${stop.signal.aborted ? 'interrupted: everything was ended' : errorMessage(error)}\n`);
    process.exitCode = stop.signal.aborted ? EXIT_INTERRUPTED : 1;
  }
}

async function runRedis({ seed, seeds, card }: Flags): Promise<void> {
  const faults = chosen(ALL_REDIS_FAULTS, card);
  const { signal } = untilEnded();
  const isGood = await runRedisFaults({ faults, firstSeed: seed, seeds, signal, say });
  process.exitCode = isGood ? 0 : 1;
  if (signal.aborted) process.exitCode = EXIT_INTERRUPTED;
}

const program = new Command('chaos');
await program
  .description('a real fleet under seeded faults, judged by what its producer knows')
  .option('--minutes <n>', 'how long records flow and faults strike', positive, 2)
  .option('--seed <n>', 'the faults and every record follow from it', whole(0, 2 ** 31 - 1), 1)
  .option('--workers <n>', 'workers at the start; scaling makes it up to two more', whole(2, 16), 3)
  .option('--shards <n>', 'open shards at the start; from half to double as many later', whole(2, 32), 4)
  .option('--rate <n>', 'records per second', positive, 400)
  .option(
    '--lease-ms <n>',
    'lease duration; the product has 10000, less makes more happen a minute',
    whole(800, 60_000),
    4_000,
  )
  .option('--within <seconds>', 'time to count everything once the faults are over', whole(1, 600), 60)
  .option('--card <names...>', 'play only these cards of the deck (listed below)')
  .option('--plan', 'only print what would be done')
  .option('--keep-logs', 'keep what the processes said, even when all is good')
  .option('--redis', 'strike Redis alone: every loss and failover of real servers, Sentinel and Cluster among them')
  .option('--seeds <n>', 'with --redis: so many seeds for each fault, from --seed on', whole(1, 100), 5)
  .addHelpText(
    'after',
    `
Local Kinesis, DynamoDB and Redis, two controllers and some workers start as processes on loopback, each of the fleet's
with three TCP proxies of its own in between that can misbehave. A producer puts logins, copies of them on other shards,
and garbage at a constant rate, and knows the truth. Faults strike one after the other and over one another.
When they are over, the fleet has --within seconds to count everything.

Exits 0 only if every figure equals the truth, no process ended by itself, outlived SIGTERM or was left behind, none
kept a core busy, and none that lived for seven minutes grew: its last three minutes at most 1.1 of its minutes 2 to 4.
worker-1 and controller-1 are frozen and cut off like the others but never ended, so there is always one to judge.

A run that found something is repeated by its seed: the same faults at the same times, though not the same races. Its
processes' lines are kept, a file per process, and the report says where.

The deck:
${listed(DECK)}

The faults of --redis:
${listed(ALL_REDIS_FAULTS)}

  npm run chaos -- --minutes 10 --seed 3
  npm run chaos -- --redis
  npm run chaos -- --minutes 1 --card 'Redis answers cut' 'split' --keep-logs`,
  )
  .action(run)
  .parseAsync();
