/**
 * One run of one seed: draws a world, lets it go until faults have stopped and everything has come to rest, and says
 * which promise was broken, if any. The same seed gives the same run, to the last step.
 */
import { seededRandom } from '../support/seeded-random.ts';
import { drawUnkindness, KIND, Network } from './faults.ts';
import { type Mutation, NO_MUTATION } from './mutation.ts';
import type { RareEvents } from './rare-events.ts';
import { checkRest, REST_WITHIN_MS, unrest } from './rest-invariants.ts';
import { Scenario } from './scenario.ts';
import { Schedule } from './schedule.ts';
import { drawSettings } from './settings.ts';
import { Trace } from './trace.ts';
import { stagesFor } from './truth.ts';
import type { Violation } from './verdict.ts';
import { World } from './world.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly mutation?: Mutation;
  /** Keeps the lines of the trace. */
  readonly isTraced?: boolean;
  /** No faults at all. */
  readonly isKind?: boolean;
}

export interface SimulationResult {
  readonly seed: number;
  readonly violation: Violation | undefined;
  /** Of the trace: equal for equal runs. */
  readonly hash: string;
  readonly lines: readonly string[];
  readonly steps: number;
  readonly records: number;
  readonly simulatedMs: number;
  readonly rare: RareEvents;
}

const REST_LOOK_MS = 500;

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const random = seededRandom(options.seed);
  const settings = drawSettings(random);
  const unkindness = options.isKind === true ? KIND : drawUnkindness(random);
  const stages = await stagesFor(settings.spec.slots);
  const schedule = new Schedule();
  const trace = new Trace(options.isTraced === true, () => schedule.nowMs);
  const network = new Network(random, unkindness);
  const mutation = options.mutation ?? NO_MUTATION;
  const world = new World({ random, settings, schedule, network, trace, stages, mutation });
  trace.note('world', 'is drawn', () => JSON.stringify({ seed: options.seed, ...settings, unkindness }));
  await withRandomness(
    () => random.next(),
    () => live(world, options.isKind === true),
  );
  return {
    seed: options.seed,
    violation: world.verdict.first,
    hash: trace.hash(),
    lines: trace.lines,
    steps: schedule.steps,
    records: world.truth.records.length,
    simulatedMs: schedule.nowMs,
    rare: world.rare.counts,
  };
}

async function live(world: World, isKind: boolean): Promise<void> {
  const { schedule, settings, verdict } = world;
  const scenario = new Scenario(world);
  scenario.begin(isKind);
  const limitMs = settings.faultsMs + REST_WITHIN_MS;
  await schedule.run(() => verdict.first !== undefined, settings.faultsMs);
  let restless = unrest(world);
  for (let atMs = settings.faultsMs; restless && !verdict.first && atMs <= limitMs; atMs += REST_LOOK_MS) {
    await schedule.run(() => verdict.first !== undefined, atMs);
    restless = unrest(world);
  }
  if (restless) verdict.require(false, restless.invariant, () => restless.what);
  if (!verdict.first) await checkRest(world);
  for (const process of world.processes) process.isDead = true;
}

/** Jitter comes from here while the world runs: production code draws it from Math.random, call by call. */
async function withRandomness(next: () => number, run: () => Promise<void>): Promise<void> {
  const { random } = Math;
  Math.random = next;
  try {
    await run();
  } finally {
    Math.random = random;
  }
}
