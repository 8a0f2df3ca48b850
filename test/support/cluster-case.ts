/**
 * What every end-to-end case has in common: a fleet of its own, installed first; evidence when the case fails; nothing
 * left behind, unless E2E_KEEP=1 asks for a look around.
 */
import { ClusterFleet } from './cluster-fleet.ts';

export interface CaseOptions {
  readonly shards?: number;
  readonly helmOptions?: readonly string[];
}

/** Runs `body` against a fresh fleet whose workers already hold all shards. */
export async function withClusterFleet(
  name: string,
  { shards = 4, helmOptions = [] }: CaseOptions,
  body: (fleet: ClusterFleet) => Promise<void>,
): Promise<void> {
  const fleet = new ClusterFleet(name, shards);
  try {
    await timed(`${name}: local AWS, stream, helm install and helm test`, () => fleet.install(...helmOptions));
    await body(fleet);
  } catch (error) {
    process.stderr.write(`${await fleet.evidence()}\n`);
    throw error;
  } finally {
    if (process.env.E2E_KEEP === '1') process.stdout.write(`kept: namespace ${fleet.namespace}\n`);
    else await fleet.remove();
  }
}

/** Prints how long it took. */
export async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startMs = performance.now();
  const result = await work();
  process.stdout.write(`${what}: ${((performance.now() - startMs) / 1_000).toFixed(1)} s\n`);
  return result;
}

/** The cases beyond install and scale are left out by E2E_SHORT=1. */
export const isShort = process.env.E2E_SHORT === '1';
