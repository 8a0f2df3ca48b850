/**
 * The Helm chart as data: its values with the comments that explain them, and the README's table made of both. A map
 * is a value of its own when nothing inside it is commented (resources, labels); else its entries are.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml';
import { ROOT } from './source-tree.ts';

export const CHART = join(ROOT, 'deploy/helm/kinesis-fleet');

export interface ChartValue {
  /** Keys joined by dots, as for --set. */
  readonly path: string;
  readonly fallback: unknown;
  /** Empty when nobody wrote a comment. */
  readonly description: string;
}

/** Every value that can be set, in the order of values.yaml. */
export function readChartValues(): ChartValue[] {
  const document = parseDocument(readFileSync(join(CHART, 'values.yaml'), 'utf8'));
  if (document.errors.length > 0 || !isMap(document.contents)) throw new Error(String(document.errors[0]));
  return valuesOf(document.contents, '');
}

/** The chart's README with its table as it should be. */
export function withValuesTable(readme: string): string {
  const block = /(<!-- values:[^>]*-->\n)[\s\S]*?(<!-- \/values -->)/;
  if (!block.test(readme)) throw new Error('the README of the chart has no block "values"');
  const rows = readChartValues().map(
    ({ path, fallback, description }) => `| \`${path}\` | \`${JSON.stringify(fallback)}\` | ${description} |`,
  );
  const table = ['| value | default | meaning |', '|---|---|---|', ...rows].join('\n');
  return readme.replace(block, (_, begin: string, end: string) => `${begin}${table}\n${end}`);
}

function valuesOf(map: YAMLMap, prefix: string): ChartValue[] {
  return map.items.flatMap((pair) => {
    const path = `${prefix}${keyOf(pair)}`;
    if (isMap(pair.value) && hasComments(pair.value)) return valuesOf(pair.value, `${path}.`);
    return [{ path, fallback: toPlain(pair), description: descriptionOf(map, pair) }];
  });
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

function toPlain({ value }: Pair): unknown {
  return isScalar(value) ? value.value : (value as YAMLMap).toJSON();
}

function hasComments(map: YAMLMap): boolean {
  return map.items.some((pair) => descriptionOf(map, pair) !== '' || (isMap(pair.value) && hasComments(pair.value)));
}

/** The comment right above a key. The parser gives that of a nested map's first key to the map. */
function descriptionOf(map: YAMLMap, { key }: Pair): string {
  const own = isScalar(key) ? key.commentBefore : undefined;
  const comment = own ?? (map.items[0]?.key === key ? map.commentBefore : undefined) ?? '';
  const nearest = comment.split(/\n\s*\n/).at(-1) ?? '';
  return nearest.replace(/\s*\n\s*/g, ' ').trim();
}
