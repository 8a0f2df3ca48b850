/**
 * The registry of a process: Node's default metrics and build_info; every metric of a process itself is declared in
 * its own metrics.ts. Hot paths keep plain numbers, published when a scrape calls collect().
 */
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

export const METRIC_PREFIX = 'kinesis_fleet_';

/** Gauges of prom-client that are named like counters, which linters of metrics refuse; the same by type are kept. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

export function createRegistry(processName: string, version: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  new Gauge({
    name: `${METRIC_PREFIX}build_info`,
    help: 'Always 1; the labels say which process and version this is.',
    labelNames: ['process', 'version', 'node'],
    registers: [registry],
  }).set({ process: processName, version, node: process.version }, 1);
  return registry;
}
