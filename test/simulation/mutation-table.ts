/** Which seed sees which deliberate bug, and by which promise: what shows that the simulation can see at all. */
import type { Mutation } from './mutation.ts';
import { MUTATIONS } from './mutations.ts';
import { type SimulationResult, simulate } from './simulation.ts';

/** The first of `runs` seeds that catches it; undefined = none does. */
export async function firstCatch(
  mutation: Mutation,
  first: number,
  runs: number,
): Promise<SimulationResult | undefined> {
  for (let seed = first; seed < first + runs; seed++) {
    const result = await simulate({ seed, mutation });
    if (result.violation) return result;
    // Between two runs the rest of the process has its turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return undefined;
}

/** Says one row per mutation. True when every one was caught. */
export async function showMutations(first: number, runs: number, say: (line: string) => void): Promise<boolean> {
  say('| mutation | caught by seed | invariant |');
  say('|---|---|---|');
  let areAllCaught = true;
  for (const [name, mutation] of Object.entries(MUTATIONS)) {
    const caught = await firstCatch(mutation, first, runs);
    say(`| ${name}: ${mutation.what} | ${caught?.seed ?? 'none'} | ${caught?.violation?.invariant ?? '-'} |`);
    areAllCaught &&= caught !== undefined;
  }
  return areAllCaught;
}
