/**
 * `npm run simulate`: runs seeds, or replays one and prints its trace. Exits 1 on a violation. Two lanes run side by
 * side, as processes: a run replaces what the whole process takes for random.
 */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { Mutation } from './mutation.ts';
import { showMutations } from './mutation-table.ts';
import { MUTATIONS } from './mutations.ts';
import { type SimulationResult, simulate } from './simulation.ts';

const HELP = `Simulates a fleet, seed by seed: production code among faults, with every promise watched.

  npm run simulate -- --runs N [--seed FIRST]   run N seeds from FIRST on (default 1)
  npm run simulate -- --seed S                  replay one seed and print what happened
  npm run simulate                              the same as --runs 100

  --mutation NAME   switch a deliberate bug on; stops at the first seed that catches it
  --mutations       say for every mutation which of N seeds (--runs, default 200) catches it
  --lanes N         processes side by side (default: one per processor, at most 4)
  --kind            no faults
  --help            this text

Mutations:
${Object.entries(MUTATIONS)
  .map(([name, { what }]) => `  ${name.padEnd(26)} ${what}`)
  .join('\n')}
`;

/** Lines of the trace that are shown of a violation found in a row of runs; --seed shows them all. */
const SHOWN_LINES = 60;
const MOST_LANES = 4;

interface Choice {
  readonly first: number;
  readonly runs: number;
  readonly isReplay: boolean;
  readonly isKind: boolean;
  readonly mutation: Mutation | undefined;
  readonly mutationName: string | undefined;
  readonly isMutationTable: boolean;
  readonly lanes: number;
}

function readArguments(): Choice | undefined {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      runs: { type: 'string' },
      mutation: { type: 'string' },
      mutations: { type: 'boolean', default: false },
      lanes: { type: 'string' },
      kind: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const name = values.mutation;
  if (name !== undefined && !MUTATIONS[name]) throw new RangeError(`there is no mutation "${name}": see --help`);
  return {
    first: wholeNumber('--seed', values.seed ?? '1'),
    runs: wholeNumber('--runs', values.runs ?? (values.mutations ? '200' : '100')),
    isReplay: values.seed !== undefined && values.runs === undefined,
    isKind: values.kind,
    mutation: name === undefined ? undefined : MUTATIONS[name],
    mutationName: name,
    isMutationTable: values.mutations,
    lanes: wholeNumber('--lanes', values.lanes ?? String(Math.min(MOST_LANES, availableParallelism()))),
  };
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new RangeError(`${option} must be a whole number, not "${text}"`);
  return Number(text);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function simulateSeed(seed: number, { mutation, isKind }: Choice, isTraced: boolean): Promise<SimulationResult> {
  return simulate({ seed, isTraced, isKind, ...(mutation ? { mutation } : {}) });
}

function describe({ seed, violation, records, steps, simulatedMs, hash }: SimulationResult): string {
  const size = `${records} records, ${steps} steps, ${(simulatedMs / 1_000).toFixed(1)} s simulated, trace ${hash}`;
  if (!violation) return `seed ${seed}: every promise kept (${size})`;
  return `seed ${seed}: ${violation.invariant} broken after ${(violation.atMs / 1_000).toFixed(3)} s (${size})\n  ${violation.what}`;
}

/** Prints the whole trace. */
async function replay(choice: Choice): Promise<boolean> {
  const result = await simulateSeed(choice.first, choice, true);
  for (const line of result.lines) say(line);
  say(describe(result));
  return result.violation === undefined;
}

/** One lane's part of the seeds: tells its parent of each. */
async function runLane(choice: Choice, lane: number): Promise<void> {
  for (let seed = choice.first + lane; seed < choice.first + choice.runs; seed += choice.lanes) {
    const { violation } = await simulateSeed(seed, choice, false);
    process.send?.({ seed, isBroken: violation !== undefined });
    // Between two runs the channel has its turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  process.disconnect?.();
}

interface LaneNews {
  readonly seed: number;
  readonly isBroken: boolean;
}

async function runAll(choice: Choice): Promise<boolean> {
  const startedMs = performance.now();
  const broken: number[] = [];
  let done = 0;
  const lanes = Array.from({ length: choice.lanes }, (_, lane) => {
    const child = fork(import.meta.filename, process.argv.slice(2), {
      env: { ...process.env, SIMULATION_LANE: String(lane) },
    });
    child.on('message', ({ seed, isBroken }: LaneNews) => {
      done += 1;
      if (isBroken) broken.push(seed);
      showProgress(done, choice.runs, broken.length);
    });
    return { child, ended: new Promise<number | null>((resolve) => child.once('exit', resolve)) };
  });
  const stopWhenCaught = setInterval(() => {
    if (choice.mutation && broken.length > 0) for (const { child } of lanes) child.kill();
  }, 100);
  const codes = await Promise.all(lanes.map(({ ended }) => ended));
  clearInterval(stopWhenCaught);
  if (process.stderr.isTTY) process.stderr.write('\n');
  for (const seed of broken.toSorted((a, b) => a - b).slice(0, 3)) await showBroken(seed, choice);
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  say(`${done} of ${choice.runs} seeds from ${choice.first} on in ${seconds} s: ${broken.length} broke a promise`);
  const isComplete = done === choice.runs && codes.every((code) => code === 0);
  if (!isComplete && broken.length === 0) say('a lane ended before its time');
  return isComplete && broken.length === 0;
}

async function showBroken(seed: number, choice: Choice): Promise<void> {
  const result = await simulateSeed(seed, choice, true);
  say(`… the last ${SHOWN_LINES} of ${result.lines.length} lines of seed ${seed}:`);
  for (const line of result.lines.slice(-SHOWN_LINES)) say(line);
  say(describe(result));
  const mutation = choice.mutationName === undefined ? '' : ` --mutation ${choice.mutationName}`;
  say(`all of it: npm run simulate -- --seed ${seed}${mutation}\n`);
}

function showProgress(done: number, runs: number, broken: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${runs} seeds, ${broken} broken `);
  else if (done % 50 === 0) process.stderr.write(`${done} of ${runs} seeds, ${broken} broken\n`);
}

/** True when nothing went wrong. */
function run(choice: Choice): Promise<boolean> {
  if (choice.isMutationTable) return showMutations(choice.first, choice.runs, say);
  return choice.isReplay ? replay(choice) : runAll(choice);
}

async function main(): Promise<void> {
  const choice = readArguments();
  if (!choice) return say(HELP);
  const lane = process.env.SIMULATION_LANE;
  if (lane !== undefined) return runLane(choice, Number(lane));
  process.exitCode = (await run(choice)) ? 0 : 1;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
