/** The chart's values without Helm: schema, comments, README, and the settings that the processes really have. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { CONTROLLER_SETTINGS } from '../../../controller/config.ts';
import { SHARED_SETTINGS } from '../../../lease/config.ts';
import packageJson from '../../../package.json' with { type: 'json' };
import type { Setting } from '../../../runtime/env.ts';
import { WORKER_SETTINGS } from '../../../worker/config.ts';
import { CHART, readChartValues, withValuesTable } from '../../support/chart-values.ts';

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly additionalProperties?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly definitions?: Readonly<Record<string, JsonSchema>>;
  readonly $ref?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly string[];
}

/** Variables that the chart sets from values of their own, or that only a pod can know. */
const SET_BY_CHART = new Set([
  ...['STREAM', 'FLEET', 'REDIS_URL', 'PIPELINE', 'PIPELINES_DIR', 'HTTP_PORT', 'INITIAL_POSITION', 'SHUTDOWN_MS'],
  ...['KUBERNETES', 'WORKER_DEPLOYMENT', 'WORKER_SELECTOR', 'LEADER_LEASE_NAME', 'INITIAL_REPLICAS'],
  ...['CONTROLLER_DEPLOYMENT', 'WORKER_NAME', 'POD_NAME', 'POD_NAMESPACE', 'POD_UID'],
]);

const textOf = (path: string): string => readFileSync(join(CHART, path), 'utf8');
const schema = JSON.parse(textOf('values.schema.json')) as JsonSchema;
const values = parse(textOf('values.yaml')) as Record<string, unknown>;
const validator = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);

/** As Helm does it: maps are merged, null removes the default, anything else replaces. */
function merged(base: unknown, over: unknown): unknown {
  if (!isMap(base) || !isMap(over)) return over;
  const kept = Object.entries({ ...base, ...over }).filter(([key]) => !(key in over && over[key] === null));
  return Object.fromEntries(
    kept.map(([key, value]) => [key, key in base && key in over ? merged(base[key], value) : value]),
  );
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function resolve(given: JsonSchema | undefined): JsonSchema | undefined {
  return given?.$ref === undefined ? given : schema.definitions?.[given.$ref.replace('#/definitions/', '')];
}

function schemaAt(path: string): JsonSchema | undefined {
  let here = resolve(schema);
  for (const key of path.split('.')) here = resolve(here?.properties?.[key]);
  return here;
}

/** Paths of objects that list their properties and still take others. */
function openObjects(here: JsonSchema, path: string): string[] {
  const inner = Object.entries({ ...here.properties, ...here.definitions });
  const own = here.properties !== undefined && here.additionalProperties !== false ? [path] : [];
  return [...own, ...inner.flatMap(([key, next]) => openObjects(next, `${path}/${key}`))];
}

function settingsOf(declared: Readonly<Record<string, Setting<unknown>>>): Setting<unknown>[] {
  const shared = new Set(Object.keys(SHARED_SETTINGS));
  const own = Object.entries(declared).filter(([key]) => declared === SHARED_SETTINGS || !shared.has(key));
  return own.map(([, setting]) => setting).filter(({ variable }) => !SET_BY_CHART.has(variable));
}

/** What the schema lets through and the process refuses, or the other way round, at the edges. */
function disagreements(setting: Setting<unknown>, { minimum, maximum, enum: choices = [] }: JsonSchema): string[] {
  const inside = [minimum, maximum, ...choices].filter((value) => value !== undefined);
  const outside = [
    minimum === undefined ? undefined : minimum - 1,
    maximum === undefined ? undefined : maximum + 1,
  ].filter((value) => value !== undefined);
  return [
    ...inside.filter((value) => !accepts(setting, value)).map((value) => `${setting.variable} refuses ${value}`),
    ...outside.filter((value) => accepts(setting, value)).map((value) => `${setting.variable} takes ${value}`),
  ];
}

function accepts(setting: Setting<unknown>, value: string | number): boolean {
  try {
    setting.parse(String(value));
    return true;
  } catch {
    return false;
  }
}

describe('values.yaml', () => {
  it('explains every value by a comment', () => {
    const silent = readChartValues().filter(({ description }) => description === '');
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  it('is what the table of the README says (mend: node test/support/write-chart-readme.ts)', () => {
    const readme = textOf('README.md');
    expect(readme).toBe(withValuesTable(readme));
  });

  it('has a place in the schema for every value, and no place in the schema without a value', () => {
    const paths = readChartValues().map(({ path }) => path);
    const unknown = paths.filter((path) => schemaAt(path) === undefined);
    const leaves = (here: JsonSchema | undefined, path: string): string[] =>
      here?.properties === undefined || paths.includes(path)
        ? [path]
        : Object.entries(here.properties).flatMap(([key, next]) =>
            leaves(resolve(next), path ? `${path}.${key}` : key),
          );
    expect(unknown).toEqual([]);
    expect(leaves(schema, '').filter((path) => !paths.includes(path))).toEqual([]);
  });
});

describe('values.schema.json', () => {
  it('is draft-07 and closed: every object that lists its properties refuses others, but what all charts share', () => {
    expect(textOf('values.schema.json')).toContain('http://json-schema.org/draft-07/schema#');
    expect(openObjects(schema, '#')).toEqual(['#/global']);
  });

  it.each(['values.yaml', ...readdirSync(join(CHART, 'ci')).map((name) => `ci/${name}`)])('accepts %s', (file) => {
    const given = parse(textOf(file), { merge: true }) as unknown;
    const result = validator.safeParse(file === 'values.yaml' ? given : merged(values, given));
    expect(result.error && z.prettifyError(result.error)).toBeUndefined();
  });

  it.each([
    ['a typo at the top', { streem: 'logins' }],
    ['a typo further down', { worker: { podDisruptionBudget: { enable: true } } }],
    ['a number of workers, which is not a value', { worker: { replicas: 3 } }],
    ['a setting that no process has', { settings: { HEARTBEAT: 1_000 } }],
    ['a setting of the worker given to the controller', { controller: { settings: { BUFFER_RECORDS: 100 } } }],
    ['a setting out of its bounds', { settings: { HEARTBEAT_MS: 1 } }],
    ['a text where a number belongs', { httpPort: 'http' }],
    ['a digest that is none', { image: { digest: 'latest' } }],
    ['a Redis without a scheme', { redis: { url: 'redis.example:6379' } }],
  ])('refuses %s', (_, given) => {
    expect(validator.safeParse(merged(values, given)).success).toBe(false);
  });

  it.each([
    ['settings', SHARED_SETTINGS],
    ['controller.settings', CONTROLLER_SETTINGS],
    ['worker.settings', WORKER_SETTINGS],
  ] as const)('knows in %s exactly the settings of the code, with the same bounds and choices', (path, declared) => {
    const known = schemaAt(path)?.properties ?? {};
    const settings = settingsOf(declared);
    expect(new Set(Object.keys(known))).toEqual(new Set(settings.map(({ variable }) => variable)));
    for (const setting of settings) expect(disagreements(setting, known[setting.variable] ?? {})).toEqual([]);
  });
});

describe('Chart.yaml', () => {
  it('names the version of the program', () => {
    const chart = parse(textOf('Chart.yaml')) as { name: string; appVersion: string };
    expect(chart).toMatchObject({ name: packageJson.name, appVersion: packageJson.version });
  });
});
