/**
 * The controller process: settings, HTTP port, fleet table, then leadership until SIGTERM. What it does while it
 * leads is in controller.ts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clockWithOffset } from '../runtime/clock.ts';
import { errorMessage, StartRefused } from '../runtime/errors.ts';
import { serveHttp } from '../runtime/http.ts';
import { Lifecycle } from '../runtime/lifecycle.ts';
import { createLogger, errorFields } from '../runtime/logger.ts';
import { createRegistry } from '../runtime/metrics.ts';
import { composeController, untilTable } from './compose.ts';
import { readControllerSettings } from './config.ts';

const STOP_DEADLINE_MS = 5_000;
const PACKAGE = readFileSync(join(import.meta.dirname, '../package.json'), 'utf8');

async function main(): Promise<void> {
  const settings = readControllerSettings();
  const clock = clockWithOffset(settings.clockOffsetMs);
  const logger = createLogger(settings.logLevel, { process: 'controller', fleet: settings.fleet });
  const lifecycle = new Lifecycle(clock, logger);
  lifecycle.handleSignals();
  const { version } = JSON.parse(PACKAGE) as { version: string };
  const registry = createRegistry('controller', version);
  const composed = await composeController(settings, clock, logger, registry);
  const { controller, stores, leadership, conditions } = composed;
  lifecycle.add({ name: 'connections', stop: composed.close });
  const there = { table: false, redis: false };
  // A new version replaces the old one as soon as it is ready: so it must be able to lead, which needs all of this once.
  const waitingFor = (): string | undefined => {
    if (!there.table) return 'fleet table';
    if (!leadership.hasLooked()) return 'leader record';
    return there.redis ? undefined : 'redis';
  };
  const http = await serveHttp(settings.httpPort, {
    metrics: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
    live: () => ({ ok: controller.isLive(), details: {} }),
    ready: () => ({
      ok: waitingFor() === undefined && !lifecycle.signal.aborted,
      details: { waitingFor: waitingFor(), leading: controller.state().leading, conditions: conditions() },
    }),
  });
  lifecycle.add({ name: 'http', stop: http.close });
  logger.info('controller started', { stream: settings.stream, httpPort: http.port, version });
  const { signal } = lifecycle;
  await untilTable(settings, stores, { clock, logger, signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  there.table = true;
  // Leading does not wait for it: leases are moved without Redis too.
  composed.untilRedis({ clock, logger, signal }).then(
    () => {
      there.redis = true;
    },
    (error: unknown) => {
      if (!signal.aborted) logger.error('this redis cannot be used', errorFields(error));
    },
  );
  await controller.run(signal);
  await lifecycle.stopAll(STOP_DEADLINE_MS);
}

try {
  await main();
  process.exit(0);
} catch (error) {
  process.stderr.write(
    `${error instanceof StartRefused ? error.message : `controller failed: ${errorMessage(error)}`}\n`,
  );
  process.exit(1);
}
