/** What the controller does about its workers' pods, with a cluster that tests speak for. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Cluster, ClusterTermOptions, PodPlace, PodVerdict } from '../../../controller/cluster.ts';
import { listedShard, World } from './controller-world.ts';

class FakeCluster implements Cluster {
  readonly verdicts = new Map<string, PodVerdict>();
  readonly places = new Map<string, PodPlace>();
  readonly taken: string[] = [];
  terms = 0;
  running = 0;
  term: ClusterTermOptions | undefined;

  begin(options: ClusterTermOptions): ReturnType<Cluster['begin']> {
    this.terms++;
    this.term = options;
    return {
      judge: () => this.verdicts,
      placeOf: (worker) => this.places.get(worker),
      tookLease: (worker, reason) => this.taken.push(`${worker} ${reason}`),
      run: async (signal) => {
        this.running++;
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
        this.running--;
      },
    };
  }

  say(worker: string, verdict: PodVerdict): void {
    this.verdicts.set(worker, verdict);
    this.term?.onNews();
  }
}

let world: World;
afterEach(() => world.end());

async function settled(): Promise<{ cluster: FakeCluster; running: ReturnType<World['startController']> }> {
  world = new World();
  world.stream.shards = ['a', 'b', 'c', 'd'].map((id) => listedShard(id));
  const cluster = new FakeCluster();
  const running = world.startController({ INITIAL_POSITION: 'TRIM_HORIZON' }, cluster);
  for (const id of ['w1', 'w2']) world.startWorker(id);
  await world.clock.advance(5_000);
  expect(world.counts()).toEqual({ w1: 2, w2: 2 });
  return { cluster, running };
}

describe('a worker whose pod ended', () => {
  it('loses its leases at once to the others, although it still beats', async () => {
    const { cluster, running } = await settled();
    cluster.say('w1', 'ended');

    await world.clock.advance(50);

    expect(world.counts()).toEqual({ w2: 4 });
    expect(cluster.taken).toEqual(['w1 pod', 'w1 pod']);
    const metrics = await running.registry.metrics();
    expect(metrics).toContain('kinesis_fleet_worker_deaths_total{reason="pod"} 1');
    expect(metrics).toContain('kinesis_fleet_takeovers_total{reason="pod"} 2');
  });

  it('is removed, and stays without leases', async () => {
    const { cluster } = await settled();
    cluster.say('w1', 'ended');
    await world.clock.advance(30_000);
    expect(world.counts()).toEqual({ w2: 4 });
  });
});

describe('a worker whose pod must go', () => {
  it('hands its leases over at once, by itself, before it has heard of it', async () => {
    const { cluster } = await settled();
    const generations = [...world.leaseRows.values()].map((lease) => lease.generation);
    cluster.say('w1', 'leaving');

    await world.clock.advance(100);

    expect(world.counts()).toEqual({ w2: 4 });
    expect(cluster.taken).toEqual([]);
    // One change of owner each: a handoff bumps the generation once.
    const grown = [...world.leaseRows.values()].map((lease) => lease.generation);
    expect(grown.reduce((a, b) => a + b)).toBe(generations.reduce((a, b) => a + b) + 2);
  });
});

describe('the cluster', () => {
  it('is followed while this controller leads, and anew in a new term', async () => {
    const { cluster, running } = await settled();
    expect([cluster.terms, cluster.running]).toEqual([1, 1]);
    world.fleetRows.leader = { holder: 'somebody', beats: 99 };
    await world.clock.advance(2_000);
    expect(cluster.running).toBe(0);
    await world.clock.advance(10_000);
    expect([cluster.terms, cluster.running]).toEqual([2, 1]);
    running.stop.abort();
    await running.ended;
    expect(cluster.running).toBe(0);
  });

  it('is a condition while it does not answer, and may not be changed for a stream that is another', async () => {
    const { cluster, running } = await settled();
    expect(cluster.term?.mayAct()).toBe(true);
    cluster.term?.onReachable(false);
    expect(Object.keys(running.controller.conditions())).toEqual(['KubernetesUnreachable']);
    cluster.term?.onReachable(true);
    world.stream.creationEpochSeconds++;
    await world.clock.advance(61_000);
    expect(Object.keys(running.controller.conditions())).toEqual(['StreamRecreated']);
    expect(cluster.term?.mayAct()).toBe(false);
  });
});
