/**
 * A controller's world on a fake clock: the production controller over fake stores, a stream that tests shape, and
 * workers that heartbeat, hold and release as their orders say, but read nothing.
 */
import { Registry } from 'prom-client';
import { type Cluster, noCluster } from '../../../controller/cluster.ts';
import { type ControllerSettings, readControllerSettings } from '../../../controller/config.ts';
import { Controller } from '../../../controller/controller.ts';
import type { ListedShard } from '../../../controller/fleet-view.ts';
import type { JobLedger } from '../../../controller/ledger-job/ledger-job.ts';
import { ControllerMetrics } from '../../../controller/metrics.ts';
import type { StreamSource } from '../../../controller/stream-source.ts';
import { RowLeadership } from '../../../lease/leadership.ts';
import type { Lease } from '../../../lease/lease.ts';
import { WorkerSession } from '../../../lease/worker-session.ts';
import type { Orders } from '../../../lease/worker-store.ts';
import { silentLogger } from '../../../runtime/logger.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeLeaseStore } from '../../support/fake-lease-store.ts';
import { FakeSignalBus } from '../../support/fake-signals.ts';
import { FakeFleetRows, FakeWorkerStore } from '../../support/fake-worker-store.ts';

const RENEW_WITHOUT_JITTER = (): number => 0.5;

export class FakeStream implements StreamSource {
  /** undefined = there is no such stream. */
  shards: ListedShard[] | undefined;
  creationEpochSeconds = 1_790_000_000;
  lists = 0;
  /** While set, every call throws it. */
  failure: Error | undefined;

  describe(): ReturnType<StreamSource['describe']> {
    if (this.failure) return Promise.reject(this.failure);
    if (!this.shards) return Promise.resolve('missing');
    const arn = 'arn:aws:kinesis:us-east-1:123456789012:stream/logins';
    return Promise.resolve({ arn, creationEpochSeconds: this.creationEpochSeconds });
  }

  list(): ReturnType<StreamSource['list']> {
    this.lists++;
    if (this.failure) return Promise.reject(this.failure);
    if (!this.shards) return Promise.resolve('missing');
    return Promise.resolve({ shards: [...this.shards], openAtStart: undefined, listedAtMs: 1_790_000_500_000 });
  }
}

export function listedShard(shardId: string, parents: readonly string[] = [], isClosed = false): ListedShard {
  return { shardId, parents, isClosed, startingHashKey: '0', endingHashKey: String(2n ** 128n - 1n) };
}

export interface FakeWorker {
  readonly id: string;
  /** Stops its heartbeat and its connections without a word. */
  kill(): void;
  drain(): void;
}

export interface RunningController {
  readonly controller: Controller;
  readonly leases: FakeLeaseStore;
  readonly workers: FakeWorkerStore;
  readonly registry: Registry;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

export class World {
  readonly clock = new FakeClock();
  readonly bus = new FakeSignalBus();
  readonly stream = new FakeStream();
  readonly leaseRows = new Map<string, Lease>();
  readonly fleetRows = new FakeFleetRows();
  readonly #stops: AbortController[] = [];

  startController(
    environment: Readonly<Record<string, string>> = {},
    cluster: Cluster = noCluster,
    ledgerJob?: JobLedger,
  ): RunningController {
    const settings: ControllerSettings = readControllerSettings({ STREAM: 'logins', ...environment });
    const leases = new FakeLeaseStore(this.leaseRows);
    const workers = new FakeWorkerStore(this.fleetRows);
    const registry = new Registry();
    const metrics: ControllerMetrics = new ControllerMetrics(registry, () => controller.state());
    const controller = new Controller({
      ...{ settings, metrics, leases, workers, cluster, clock: this.clock, logger: silentLogger, source: this.stream },
      fleet: workers,
      leadership: new RowLeadership({
        ...{ store: workers, clock: this.clock, logger: silentLogger, random: RENEW_WITHOUT_JITTER },
        holder: `controller-${this.#stops.length}`,
        leaseDurationMs: settings.leaderLeaseMs,
        renewDeadlineMs: settings.leaderRenewDeadlineMs,
        retryMs: settings.leaderRetryMs,
      }),
      signals: this.bus.controller(),
      ledger: { totals: () => Promise.resolve(new Map([['f', 7]])) },
      ...(ledgerJob && { ledgerJob }),
    });
    const stop = new AbortController();
    this.#stops.push(stop);
    return { controller, leases, workers, registry, stop, ended: controller.run(stop.signal) };
  }

  /** A worker that does what it is told; `stubborn` ones never release. */
  startWorker(id: string, { stubborn = false }: { readonly stubborn?: boolean } = {}): FakeWorker {
    const store = new FakeWorkerStore(this.fleetRows);
    const leases = new FakeLeaseStore(this.leaseRows);
    const signals = this.bus.worker();
    const stop = new AbortController();
    this.#stops.push(stop);
    const release = async (orders: Orders): Promise<void> => {
      for (const order of orders.orders) {
        const row = await leases.read(order.leaseKey);
        if (stubborn || stop.signal.aborted || row?.checkpointOwner !== id) continue;
        await leases.release({ key: row.key, workerId: id, generation: row.generation });
        signals.toController({ kind: 'lease-released', leaseKey: row.key });
      }
    };
    const session = new WorkerSession({
      ...{ store, clock: this.clock, logger: silentLogger, heartbeatMs: 1_000, leaseDurationMs: 10_000 },
      newId: () => id,
      status: () => ({ state: 'active', load: { leases: 0, bytesPerSecond: 0 } }),
      listener: {
        onRegistered: () => signals.toController({ kind: 'worker-changed', workerId: id }),
        onOrders: (orders) => void release(orders),
        onSelfFenced: () => undefined,
        onDrainWritten: () => signals.toController({ kind: 'worker-changed', workerId: id }),
        onGone: () => undefined,
      },
    });
    signals.listen(id, () => session.nudge(), stop.signal);
    void session.run(stop.signal);
    return {
      id,
      kill: () => stop.abort(),
      drain: () => session.drain(),
    };
  }

  /** Owner by shard id, `old>new` during a handoff, `-` when free, `END` when finished. */
  owners(): Record<string, string> {
    const shown = [...this.leaseRows.values()].map((lease) => {
      const owner = lease.checkpointOwner === undefined ? lease.owner : `${lease.checkpointOwner}>${lease.owner}`;
      return [lease.shardId, lease.checkpoint.kind === 'SHARD_END' ? 'END' : (owner ?? '-')] as const;
    });
    return Object.fromEntries(shown.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** How many leases each owner has. */
  counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const owner of Object.values(this.owners())) counts[owner] = (counts[owner] ?? 0) + 1;
    return counts;
  }

  lease(shardId: string): Lease {
    const found = [...this.leaseRows.values()].find((lease) => lease.shardId === shardId);
    if (!found) throw new Error(`there is no lease of ${shardId}`);
    return found;
  }

  change(shardId: string, overrides: Partial<Lease>): void {
    const lease = this.lease(shardId);
    this.leaseRows.set(lease.key, { ...lease, ...overrides });
  }

  /** The owner read the shard to its end. */
  finish(shardId: string): void {
    const { owner: _owner, checkpointOwner: _old, ...rest } = this.lease(shardId);
    this.leaseRows.set(rest.key, { ...rest, checkpoint: { kind: 'SHARD_END' } });
  }

  async end(): Promise<void> {
    for (const stop of this.#stops) stop.abort();
    await this.clock.advance(10_000);
  }
}

/** A world with a stream of `shards` shards, a controller that leads, and workers that have their leases. */
export async function settledWorld(
  shards: number,
  workers: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ world: World; running: RunningController; fleet: Map<string, FakeWorker> }> {
  const world = new World();
  world.stream.shards = Array.from({ length: shards }, (_, i) => listedShard(`shard-${i}`));
  const running = world.startController({ INITIAL_POSITION: 'TRIM_HORIZON', ...environment });
  const fleet = new Map(workers.map((id) => [id, world.startWorker(id)]));
  await world.clock.advance(5_000);
  return { world, running, fleet };
}
