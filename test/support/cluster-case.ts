/**
 * What every end-to-end case has in common: a fleet of its own, installed first; evidence when the case fails; nothing
 * left behind, unless E2E_KEEP=1 asks for a look around.
 */
import { afterAll, afterEach, beforeAll } from 'vitest';
import { ClusterFleet } from './cluster-fleet.ts';

export interface CaseOptions {
  readonly shards?: number;
  readonly helmOptions?: readonly string[];
  /** Before the release is installed, in a namespace that is there. */
  readonly prepare?: (fleet: ClusterFleet) => Promise<void>;
}

const SHARDS = 4;
const SETUP_MS = 400_000;

/** Runs `body` against a fresh fleet whose workers already hold all shards. */
export function withClusterFleet(
  name: string,
  { shards = SHARDS, helmOptions = [] }: CaseOptions,
  body: (fleet: ClusterFleet) => Promise<void>,
): Promise<void> {
  return inNamespace(new ClusterFleet(name, shards), async (fleet) => {
    await timed(`${name}: local AWS, stream, helm install and helm test`, () => fleet.install(...helmOptions));
    await body(fleet);
  });
}

/** Runs `body` against a release that has nothing of what it needs: no AWS, no Redis, no stream. */
export function withBareFleet(name: string, body: (fleet: ClusterFleet) => Promise<void>): Promise<void> {
  return inNamespace(new ClusterFleet(name, SHARDS), async (fleet) => {
    await fleet.installBare();
    await body(fleet);
  });
}

/**
 * One fleet for all cases of a describe block, which run in their order; installed before the first. For cases that
 * would each need it as the one before left it.
 */
export function sharedClusterFleet(
  name: string,
  { shards = SHARDS, helmOptions = [], prepare }: CaseOptions = {},
): ClusterFleet {
  const fleet = new ClusterFleet(name, shards);
  beforeAll(async () => {
    if (prepare) {
      await fleet.kubectl(['create', 'namespace', fleet.namespace]);
      await prepare(fleet);
    }
    await timed(`${name}: local AWS, stream, helm install and helm test`, () => fleet.install(...helmOptions));
  }, SETUP_MS);
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') process.stderr.write(`${await fleet.evidence()}\n`);
  });
  afterAll(() => leave(fleet), SETUP_MS);
  return fleet;
}

async function leave(fleet: ClusterFleet): Promise<void> {
  if (process.env.E2E_KEEP === '1') process.stdout.write(`kept: namespace ${fleet.namespace}\n`);
  else await fleet.remove();
}

async function inNamespace(fleet: ClusterFleet, body: (fleet: ClusterFleet) => Promise<void>): Promise<void> {
  try {
    await body(fleet);
  } catch (error) {
    process.stderr.write(`${await fleet.evidence()}\n`);
    throw error;
  } finally {
    await leave(fleet);
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
