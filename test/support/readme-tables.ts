/** The README's tables of settings and metrics, made from the declarations that the processes use. */
import { CONTROLLER_SETTINGS } from '../../controller/config.ts';
import { CONTROLLER_METRICS } from '../../controller/metrics.ts';
import { SHARED_SETTINGS } from '../../lease/config.ts';
import type { Setting } from '../../runtime/env.ts';
import { WORKER_SETTINGS } from '../../worker/config.ts';
import { WORKER_METRICS } from '../../worker/metrics.ts';

interface MetricRow {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** The README with both tables as they should be. */
export function withTables(readme: string): string {
  return replaceBlock(replaceBlock(readme, 'settings', settingsTable()), 'metrics', metricsTable());
}

function replaceBlock(text: string, name: string, table: string): string {
  const block = new RegExp(`(<!-- ${name}:[^>]*-->\\n)[\\s\\S]*?(<!-- /${name} -->)`);
  if (!block.test(text)) throw new Error(`README.md has no block "${name}"`);
  return text.replace(block, (_, begin: string, end: string) => `${begin}${table}\n${end}`);
}

function settingsTable(): string {
  const shared = new Set(Object.keys(SHARED_SETTINGS));
  const own = (declared: Record<string, Setting<unknown>>): Setting<unknown>[] =>
    Object.entries(declared).flatMap(([key, setting]) => (shared.has(key) ? [] : [setting]));
  return [
    '| variable | of | default | meaning |',
    '|---|---|---|---|',
    ...Object.values(SHARED_SETTINGS).map((setting) => settingRow(setting, 'both')),
    ...own(CONTROLLER_SETTINGS).map((setting) => settingRow(setting, 'controller')),
    ...own(WORKER_SETTINGS).map((setting) => settingRow(setting, 'worker')),
  ].join('\n');
}

function settingRow(setting: Setting<unknown>, of: string): string {
  const fallback =
    setting.fallback === undefined ? 'required' : setting.fallback === '' ? '' : `\`${setting.fallback}\``;
  return `| \`${setting.variable}\` | ${of} | ${fallback} | ${escaped(setting.description)} |`;
}

function metricsTable(): string {
  const rows = (metrics: readonly MetricRow[], of: string): string[] =>
    metrics.map(
      (metric) =>
        `| \`${metric.name}\` | ${of} | ${metric.type} | ${metric.labels.map((label) => `\`${label}\``).join(', ')} | ${escaped(metric.help)} |`,
    );
  return [
    '| metric | of | type | labels | meaning |',
    '|---|---|---|---|---|',
    ...rows(WORKER_METRICS, 'worker'),
    ...rows(CONTROLLER_METRICS, 'controller'),
  ].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|');
}
