/** `demo`: the whole fleet on this machine, live, with faults, judged at the end. */
import type { Command } from 'commander';
import { systemClock } from '../runtime/clock.ts';
import { errorMessage } from '../runtime/errors.ts';
import { whole } from './flag-values.ts';

interface Flags {
  readonly records: number;
  readonly shards: number;
  readonly workers: number;
  readonly seed: number;
  readonly calm?: boolean;
  readonly keep?: boolean;
}

const EXIT_INTERRUPTED = 130;

export function addDemo(program: Command): void {
  program
    .command('demo')
    .description('the whole fleet on this machine: live, with faults on the way, judged at the end')
    .option('--records <n>', 'logins to produce', whole(1, 10_000_000), 50_000)
    .option('--shards <n>', 'shards of the stream at the start', whole(2, 64), 4)
    .option('--workers <n>', 'workers at the start', whole(1, 32), 3)
    .option('--seed <n>', 'what is produced follows from it', whole(0, 2 ** 31 - 1), 1)
    .option('--calm', 'no faults: only produce, count and compare')
    .option('--keep', 'leave everything running afterwards and print how to talk to it')
    .addHelpText(
      'after',
      `
Needs nothing but this checkout: local Kinesis, DynamoDB and Redis are started as processes on loopback and end with it.
Exits 0 only if every figure of the fleet equals the producer's own and every fault really struck.`,
    )
    .action(async (flags: Flags) => {
      const stop = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
        process.once(signal, () => stop.abort(new Error(signal)));
      try {
        // Only this command needs local/, which an image for production leaves out.
        const { runDemo } = await import('../local/demo/demo.ts');
        const good = await runDemo(
          { ...flags, calm: flags.calm ?? false, keep: flags.keep ?? false },
          systemClock,
          stop.signal,
        );
        process.exitCode = good ? 0 : 1;
      } catch (error) {
        process.stderr.write(`${stop.signal.aborted ? 'interrupted: everything was ended' : errorMessage(error)}\n`);
        process.exitCode = stop.signal.aborted ? EXIT_INTERRUPTED : 1;
      }
    });
}
