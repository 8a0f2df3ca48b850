/**
 * Puts the controller together from its settings: the adapters of every port, chosen here and nowhere else.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { redisAddressOf } from '../lease/config.ts';
import { ensureTable } from '../lease/dynamodb/ensure-table.ts';
import { createFleetStores, type FleetStores } from '../lease/dynamodb/fleet-stores.ts';
import { type Leadership, RowLeadership } from '../lease/leadership.ts';
import { createLedgerConnection } from '../ledger/redis/connection.ts';
import { createRedisLedger } from '../ledger/redis/redis-ledger.ts';
import { createRedisLedgerJob } from '../ledger/redis/redis-ledger-job.ts';
import { ledgerSpecOf } from '../pipelines/ledger-spec.ts';
import { loadPipeline } from '../pipelines/load.ts';
import type { Clock } from '../runtime/clock.ts';
import { ClockSkew } from '../runtime/clock-skew.ts';
import { errorFields, type Logger } from '../runtime/logger.ts';
import type { createRegistry } from '../runtime/metrics.ts';
import { type WaitOptions, waitFor } from '../runtime/wait-for.ts';
import { createControllerSignals } from '../signal/redis/redis-signals.ts';
import { noSignals } from '../signal/signals.ts';
import { type Cluster, noCluster } from './cluster.ts';
import type { ControllerSettings } from './config.ts';
import { Controller } from './controller.ts';
import { KinesisStream } from './kinesis/kinesis-stream.ts';
import { ControllerMetrics } from './metrics.ts';

const PIPELINES_DIR = join(import.meta.dirname, '../pipelines');

export interface ComposedController {
  readonly controller: Controller;
  readonly stores: FleetStores;
  readonly leadership: Leadership;
  /** Resolves when Redis answered. @throws StartRefused when that one must not be used. */
  untilRedis(options: WaitOptions): Promise<void>;
  /** All that is wrong now, for people. */
  conditions(): Readonly<Record<string, unknown>>;
  close(): Promise<void>;
}

/** Connects in the background; waits for nothing. @throws StartRefused when the pipeline cannot be used. */
export async function composeController(
  settings: ControllerSettings,
  clock: Clock,
  logger: Logger,
  registry: ReturnType<typeof createRegistry>,
): Promise<ComposedController> {
  const pipeline = loadPipeline(settings.pipeline, settings.pipelinesDir ?? PIPELINES_DIR);
  const clockSkew = new ClockSkew(clock, logger);
  const metrics: ControllerMetrics = new ControllerMetrics(registry, () => {
    const state = controller.state();
    const conditions = [...state.conditions, ...Object.keys(clockSkew.condition)];
    return { ...state, conditions, clockAheadSeconds: clockSkew.aheadSeconds };
  });
  const stores = createFleetStores({
    tableName: settings.fleet,
    clock,
    onCall: () => clockSkew.asked(),
    onBrokenRow: (row) => {
      logger.error('row of the fleet table is broken', errorFields(row));
      metrics.sawBrokenRow();
    },
  });
  const redis = redisAddressOf(settings);
  const signals =
    settings.signals === 'off'
      ? noSignals
      : createControllerSignals({ ...redis, fleet: settings.fleet, logger, clock });
  const connection = createLedgerConnection({ ...redis, clock, confirms: settings.settleMs === 0 });
  const spec = ledgerSpecOf(pipeline, settings);
  const ledger = createRedisLedger(spec, connection);
  const source = new KinesisStream({ stream: settings.stream, clock });
  const around = await surroundings(settings, stores, clock, logger);
  const controller = new Controller({
    ...{ settings, clock, logger, source, signals, metrics, ...around },
    leases: stores.leases,
    workers: stores.workers,
    fleet: stores.fleet,
    ledger,
    ledgerJob: { ledger: { ...ledger, ...createRedisLedgerJob(spec, connection) }, spec },
  });
  return {
    controller,
    stores,
    leadership: around.leadership,
    untilRedis: (options) => waitFor('redis', options, () => connection.ready()),
    conditions: () => ({ ...controller.conditions(), ...clockSkew.condition }),
    async close() {
      await signals.close();
      connection.close();
      source.close();
      stores.close();
    },
  };
}

/** The Kubernetes client is loaded only where it is used. */
async function surroundings(
  settings: ControllerSettings,
  stores: FleetStores,
  clock: Clock,
  logger: Logger,
): Promise<{ readonly leadership: Leadership; readonly cluster: Cluster }> {
  const { kubernetesAccess: access } = settings;
  if (access) {
    const { composeKubernetes } = await import('./kubernetes.ts');
    return composeKubernetes({ settings, access, clock, logger, fleet: stores.fleet });
  }
  const leadership = new RowLeadership({
    store: stores.leader,
    clock,
    logger,
    holder: `controller-${randomBytes(6).toString('hex')}`,
    leaseDurationMs: settings.leaderLeaseMs,
    renewDeadlineMs: settings.leaderRenewDeadlineMs,
    retryMs: settings.leaderRetryMs,
  });
  return { leadership, cluster: noCluster };
}

/**
 * Waits for DynamoDB as long as it takes, and says why whenever the reason is a new one.
 * @throws StartRefused when the table is missing or of another kind
 */
export function untilTable(settings: ControllerSettings, stores: FleetStores, options: WaitOptions): Promise<void> {
  const { clock, logger } = options;
  return waitFor('fleet table', options, () =>
    ensureTable({
      client: stores.client,
      clock,
      tableName: settings.fleet,
      create: settings.createTable,
      onProgress: (status) => logger.info('fleet table is being made', { table: settings.fleet, status }),
    }),
  );
}
