import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { ledgerSeries } from '../../../controller/ledger-series.ts';
import { CONTROLLER_METRICS, ControllerMetrics, type ControllerState } from '../../../controller/metrics.ts';
import {
  counterName,
  DUPLICATE,
  FRESH,
  UNDECODABLE,
  uniqueName,
  uniqueValueName,
} from '../../../ledger/counter-names.ts';

const IDLE: ControllerState = {
  leading: false,
  shards: undefined,
  workers: undefined,
  conditions: [],
  hashRangeHoles: undefined,
  totals: undefined,
};

describe("the ledger's totals as series", () => {
  it('are records by judgement, counters and uniques by value', () => {
    const series = ledgerSeries(
      new Map([
        ...[[FRESH, 5] as const, [DUPLICATE, 2] as const, [UNDECODABLE, 1] as const],
        [counterName('format', 'V1'), 3],
        [uniqueName('players'), 4],
        [uniqueValueName('playersByCountry', 'DE: "quoted"'), 2],
        ['unknown', 9],
      ]),
    );
    expect(series).toEqual({
      records: [
        { judgement: 'fresh', count: 5 },
        { judgement: 'duplicate', count: 2 },
        { judgement: 'undecodable', count: 1 },
      ],
      counters: [{ counter: 'format', value: 'V1', count: 3 }],
      uniques: [{ unique: 'players', count: 4 }],
      uniqueValues: [{ unique: 'playersByCountry', value: 'DE: "quoted"', count: 2 }],
    });
  });

  it('name the 300 largest values and sum up the rest as other, whatever a record calls itself', () => {
    const totals = new Map(Array.from({ length: 400 }, (_, i) => [uniqueValueName('u', `v${i}`), i + 1] as const));
    totals.set(uniqueValueName('u', 'other'), 1_000);
    const values = ledgerSeries(totals).uniqueValues;
    expect(values).toHaveLength(300);
    const rest = (101 * 102) / 2;
    expect(values.filter((entry) => entry.value === 'other')).toEqual([
      { unique: 'u', value: 'other', count: 1_000 + rest },
    ]);
    expect(values.reduce((sum, entry) => sum + entry.count, 0)).toBe(1_000 + (400 * 401) / 2);
  });
});

describe("the controller's metrics", () => {
  it('are registered under the declared names, labels and types', async () => {
    const registry = new Registry();
    new ControllerMetrics(registry, () => IDLE);
    const registered = await registry.getMetricsAsJSON();
    const shown = registered.map((metric) => `${metric.name} ${metric.type}`).toSorted((x, y) => (x < y ? -1 : 1));
    const declared = CONTROLLER_METRICS.map((metric) => `${metric.name} ${metric.type}`);
    expect(shown).toEqual(declared.toSorted((x, y) => (x < y ? -1 : 1)));
  });

  it('show the state of the moment at each scrape, and lose it with leadership', async () => {
    const registry = new Registry();
    let state: ControllerState = {
      ...{ leading: true, shards: { free: 1, held: 2 }, workers: { active: 3 }, conditions: ['StreamMissing'] },
      hashRangeHoles: 2,
      totals: new Map([[FRESH, 5]]),
    };
    new ControllerMetrics(registry, () => state);
    await registry.metrics();
    const text = await registry.metrics();
    for (const series of [
      ...['controller_leading 1', 'shards{state="held"} 2', 'workers{state="active"} 3'],
      ...['controller_conditions{condition="StreamMissing"} 1', 'ledger_records_total{judgement="fresh"} 5'],
      'hash_range_hole 2',
    ]) {
      expect(text).toContain(`kinesis_fleet_${series}\n`);
    }
    state = IDLE;
    const later = await registry.metrics();
    expect(later).toContain('kinesis_fleet_controller_leading 0');
    expect(later).not.toMatch(/shards\{|workers\{|conditions\{|records_total\{/);
  });
});
