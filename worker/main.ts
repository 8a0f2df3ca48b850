/**
 * The worker process: settings, HTTP port, what must be well at the start, then the work until SIGTERM. The record's
 * path goes on in worker.ts, then in shard/consumer.ts.
 */
import packageJson from '../package.json' with { type: 'json' };
import { clockWithOffset } from '../runtime/clock.ts';
import { errorMessage, StartRefused } from '../runtime/errors.ts';
import { Lifecycle } from '../runtime/lifecycle.ts';
import { createLogger } from '../runtime/logger.ts';
import { createRegistry } from '../runtime/metrics.ts';
import { composeOutside, composeWorkerOptions } from './compose.ts';
import { readWorkerSettings } from './config.ts';
import { serveWorker, type WorkerStatus } from './http-pages.ts';
import { runUntilDrained } from './shutdown.ts';
import { waitForStream } from './source/wait-for-stream.ts';
import { untilFleet, untilRedis, untilTable, warnOfShortHorizon } from './startup.ts';
import { Worker } from './worker.ts';

const STOP_DEADLINE_MS = 5_000;

async function main(): Promise<void> {
  const settings = readWorkerSettings();
  const clock = clockWithOffset(settings.clockOffsetMs);
  const logger = createLogger(settings.logLevel, { process: 'worker', fleet: settings.fleet, name: settings.name });
  const lifecycle = new Lifecycle(clock, logger);
  lifecycle.handleSignals();
  const outside = composeOutside(settings, clock, logger);
  lifecycle.add({ name: 'connections', stop: outside.close });
  const status: WorkerStatus = { waitingFor: 'start', worker: undefined };
  const registry = createRegistry('worker', packageJson.version);
  const http = await serveWorker(settings.httpPort, registry, outside, status, lifecycle.signal);
  lifecycle.add({ name: 'http', stop: http.close });
  logger.info('worker started', { stream: settings.stream, httpPort: http.port, version: packageJson.version });
  const onWait = (what: string | undefined): void => {
    status.waitingFor = what;
  };
  const { signal } = lifecycle;
  try {
    const startup = { clock, logger, signal, onWait };
    const { stores, kinesis, connection, signals } = outside;
    await untilTable(startup, { client: stores.client, tableName: settings.fleet, create: settings.createTable });
    await untilRedis(startup, connection, settings.settleMs);
    const fleet = await untilFleet(startup, stores.fleet, settings.stream);
    const summary = await waitForStream({ client: kinesis, stream: settings.stream, clock, logger, signal, onWait });
    warnOfShortHorizon(logger, settings.horizonHours, summary?.retentionHours);
    status.worker = new Worker(await composeWorkerOptions(settings, outside, fleet, clock, logger));
    onWait(undefined);
    await runUntilDrained(status.worker, { clock, logger, stores, signals, shutdownMs: settings.shutdownMs, signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  await lifecycle.stopAll(STOP_DEADLINE_MS);
}

try {
  await main();
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error instanceof StartRefused ? error.message : `worker failed: ${errorMessage(error)}`}\n`);
  process.exit(1);
}
