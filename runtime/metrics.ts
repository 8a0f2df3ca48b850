/**
 * The registry of a process: Node's default metrics and build_info; every metric of a process itself is declared in
 * its own metrics.ts. Hot paths keep plain numbers, published when a scrape calls collect().
 */
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

export const METRIC_PREFIX = 'kinesis_fleet_';

export function createRegistry(processName: string, version: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: `${METRIC_PREFIX}build_info`,
    help: 'Always 1; the labels say which process and version this is.',
    labelNames: ['process', 'version', 'node'],
    registers: [registry],
  }).set({ process: processName, version, node: process.version }, 1);
  return registry;
}
