/**
 * What a controller of 10,000 shards and 500 workers needs: CPU time of one plan in the situations that a fleet comes
 * into, CPU time of a whole round, and the memory of the process that led for five minutes. Production code over stores
 * in memory; the workers' rows name their busiest shards. Run: `npm run bench -- controller`, under a container's memory.
 */
import { plan } from '../controller/assignment/plan.ts';
import type { PlannedLease, PlannedWorker } from '../controller/assignment/spread.ts';
import { seededRandom } from '../test/support/seeded-random.ts';
import { listedShard, World } from '../test/unit/controller/controller-world.ts';

const SHARDS = 10_000;
const WORKERS = 500;
const ROUNDS = 5;
const LED_S = 300;
const MIB = 1024 * 1024;

type Situation = (
  leases: readonly PlannedLease[],
  workers: readonly PlannedWorker[],
) => [PlannedLease[], PlannedWorker[]];

const SITUATIONS: Readonly<Record<string, Situation>> = {
  'all shards are free': (leases, workers) => [
    leases.map((one) => ({ ...one, state: { kind: 'free' } })),
    [...workers],
  ],
  'nothing to do': (leases, workers) => [[...leases], [...workers]],
  '100 workers die': (leases, workers) => [
    [...leases],
    workers.map((one, i) => (i < 100 ? { ...one, standing: 'dead' } : one)),
  ],
  '500 workers come': (leases, workers) => [
    [...leases],
    [...workers, ...workers.map((one) => ({ ...one, id: `new-${one.id}` }))],
  ],
  'every weight changes': (leases, workers) => [
    leases.map((one, i) => ({ ...one, weight: leases[(i * 7) % SHARDS]!.weight })),
    [...workers],
  ],
};

/** Milliseconds of CPU, each round anew. */
async function cpuMs(act: () => unknown): Promise<number[]> {
  const figures: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    await act();
    const { user, system } = process.cpuUsage(before);
    figures.push((user + system) / 1_000);
  }
  return figures;
}

function shown(figures: readonly number[]): string {
  const sorted = figures.toSorted((a, b) => a - b);
  const median = sorted[sorted.length >>> 1] ?? Number.NaN;
  return `${median.toFixed(0).padStart(4)} ms (${figures.map((one) => one.toFixed(0)).join(' · ')})`;
}

async function measurePlans(): Promise<void> {
  const random = seededRandom(1).next;
  const workers = Array.from({ length: WORKERS }, (_, i) => {
    return { id: `worker-${i}`, standing: 'eligible', zone: 'abc'[i % 3] } as const;
  });
  const free = Array.from({ length: SHARDS }, (_, i): PlannedLease => {
    const weight = 16_384 + (random() < 0.05 ? 1_000_000 : 100_000) * random();
    return { key: `shard-${i}`, weight, state: { kind: 'free' } };
  });
  const owners = new Map(plan(free, workers).map((move) => [move.key, move.to]));
  const leases = free.map((one): PlannedLease => {
    return { ...one, state: { kind: 'held', owner: owners.get(one.key) ?? '' } };
  });
  for (const [name, situation] of Object.entries(SITUATIONS)) {
    const [given, eligible] = situation(leases, workers);
    let moves = 0;
    const figures = await cpuMs(() => {
      moves = plan(given, eligible).length;
    });
    process.stdout.write(`  plan, ${name.padEnd(21)} ${shown(figures)}, ${moves} moves\n`);
  }
}

/** Workers that do nothing but beat, as rows: what they would need in a process of their own is not the controller's. */
function startRows({ fleetRows, clock }: World, stop: AbortSignal): void {
  for (let i = 0; i < WORKERS; i++) {
    const id = `kinesis-fleet-worker-5d9c7b6f4-${String(i).padStart(5, 'x')}-0b1c9d52-6f0e-4c53-9a58-7e9b1c2d3e4f-${i}`;
    const busiest = new Map(
      Array.from({ length: 12 }, (_, n) => [`shardId-${String(n).padStart(12, '0')}`, 9_000_000]),
    );
    const load = { leases: 20, bytesPerSecond: 100_000_000, busiest, zone: 'abc'[i % 3] };
    fleetRows.registered.add(id);
    fleetRows.workers.set(id, { id, beats: 1, state: 'active', load, ordersVersion: 0 });
  }
  const beat = async (): Promise<void> => {
    while (!stop.aborted) {
      await clock.sleep(1_000, stop);
      for (const [id, row] of fleetRows.workers) fleetRows.workers.set(id, { ...row, beats: row.beats + 1 });
    }
  };
  void beat();
}

async function measureController(): Promise<void> {
  const world = new World();
  const stop = new AbortController();
  world.bus.isAway = true;
  world.stream.shards = Array.from({ length: SHARDS }, (_, i) => listedShard(`shardId-${String(i).padStart(12, '0')}`));
  startRows(world, stop.signal);
  world.startController({ INITIAL_POSITION: 'TRIM_HORIZON' });
  await world.clock.advance(LED_S * 1_000);
  const counts = new Set(Object.values(world.counts()));
  const figures = await cpuMs(() => world.clock.advance(1_000));
  process.stdout.write(`  a second's round: ${shown(figures)}\n`);
  const { rss, heapUsed } = process.memoryUsage();
  process.stdout.write(
    `  after ${LED_S / 60} simulated minutes, with all rows in the same process: RSS ${Math.round(rss / MIB)} MiB, heap ${Math.round(heapUsed / MIB)} MiB; leases per worker ${[...counts].join(', ')}\n`,
  );
  stop.abort();
  await world.end();
}

process.stdout.write(`a controller of ${SHARDS} shards and ${WORKERS} workers; median of ${ROUNDS}\n`);
await measurePlans();
await measureController();
