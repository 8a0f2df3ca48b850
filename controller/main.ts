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
import { createLogger } from '../runtime/logger.ts';
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
  const { controller, stores, conditions, close } = await composeController(settings, clock, logger, registry);
  lifecycle.add({ name: 'connections', stop: close });
  let isReady: boolean = false;
  const http = await serveHttp(settings.httpPort, {
    metrics: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
    live: () => ({ ok: controller.isLive(), details: {} }),
    ready: () => ({
      ok: isReady && !lifecycle.signal.aborted,
      details: {
        waitingFor: isReady ? undefined : 'fleet table',
        leading: controller.state().leading,
        conditions: conditions(),
      },
    }),
  });
  lifecycle.add({ name: 'http', stop: http.close });
  logger.info('controller started', { stream: settings.stream, httpPort: http.port, version });
  await untilTable(settings, stores, clock, logger, lifecycle.signal).catch((error: unknown) => {
    if (!lifecycle.signal.aborted) throw error;
  });
  isReady = true;
  await controller.run(lifecycle.signal);
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
