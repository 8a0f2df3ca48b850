/** A controller process as controller/compose.ts puts it together without Kubernetes, behind the simulation's ports. */
import { Registry } from 'prom-client';
import { noCluster } from '../../controller/cluster.ts';
import { readControllerSettings } from '../../controller/config.ts';
import { Controller } from '../../controller/controller.ts';
import { ControllerMetrics } from '../../controller/metrics.ts';
import type { StreamSource } from '../../controller/stream-source.ts';
import { RowLeadership } from '../../lease/leadership.ts';
import type { LeaseStore } from '../../lease/lease-store.ts';
import { noSignals } from '../../signal/signals.ts';
import { KINESIS, STREAM, TABLE } from './edges.ts';
import { CONTROLLER_ENVIRONMENT } from './settings.ts';
import type { SimProcess } from './sim-process.ts';
import type { World } from './world.ts';

const settings = readControllerSettings(CONTROLLER_ENVIRONMENT);

/** Resolves when the process has ended by itself. */
export async function runController(world: World, process: SimProcess): Promise<void> {
  const { wire, trace, mutation, random } = world;
  const logger = trace.loggerOf(process.name);
  const store = wire.gate(process, TABLE, world.workerStoreOf());
  const table = wire.gate(process, TABLE, world.leaseStoreOf(process));
  const leases: LeaseStore = mutation.controllerLeases?.(table) ?? table;
  const source: StreamSource = wire.gate(process, STREAM, world.stream.source);
  const link = world.redis.connect(process);
  const job = { ...world.redis.ledgerOf(process, link), ...world.redis.jobOf(process, link) };
  const metrics: ControllerMetrics = new ControllerMetrics(new Registry(), () => controller.state());
  const controller = new Controller({
    ...{ settings, logger, leases, source, metrics, clock: process, workers: store, fleet: store, cluster: noCluster },
    leadership: new RowLeadership({
      ...{ store, logger, clock: process, holder: process.name, random: () => random.next() },
      leaseDurationMs: settings.leaderLeaseMs,
      renewDeadlineMs: settings.leaderRenewDeadlineMs,
      retryMs: settings.leaderRetryMs,
    }),
    signals: world.settings.hasSignals ? world.hints.controller(process) : noSignals,
    ledger: { totals: () => wire.call(process, KINESIS, 'totals', [], () => world.redis.totals()) },
    ledgerJob: { ledger: mutation.jobLedger?.(job) ?? job, spec: world.settings.spec },
  });
  world.controllersRunning.set(process, controller);
  await controller.run(process.terminated.signal);
}
