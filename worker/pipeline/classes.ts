/**
 * Classes of a batch: which of the pipeline's counters a fresh record raises. Records that raise the same ones share a
 * class, so that the ledger gets a handful of lists however many records there are.
 */
import { counterName } from '../../ledger/counter-names.ts';
import type { Counter, Pipeline } from '../../pipelines/pipeline.ts';
import type { DecodedBatch } from './decoded-batch.ts';
import { textBytes } from './field-hashes.ts';
import type { KeyedHash } from './keyed-hash.ts';
import { DECODABLE } from './rejection-reason.ts';
import { ValueNames } from './value-names.ts';

export interface Classes {
  /** Index into classCounters; meaningless for a rejected record. */
  readonly classes: Uint16Array;
  readonly classCounters: readonly (readonly string[])[];
}

/** Values of one counter: index + 1 of record i's value at values[i], 0 = it has none. */
interface CounterValues {
  readonly values: Uint32Array;
  readonly names: readonly string[];
}

/** More than a batch has values. */
const VALUES_LIMIT = 0x2_0000;

export function classify(pipeline: Pipeline, decoded: DecodedBatch, hash: KeyedHash): Classes {
  let classes: Classes = { classes: new Uint16Array(decoded.records.count), classCounters: [[]] };
  for (const counter of pipeline.counters) {
    const values = counter.by === 'format' ? formatValues(pipeline, decoded) : fieldValues(counter.by, decoded, hash);
    classes = divide(classes, counter, values, decoded);
  }
  return classes;
}

function formatValues(pipeline: Pipeline, decoded: DecodedBatch): CounterValues {
  const names = pipeline.formats.map((format) => format.name);
  const values = new Uint32Array(decoded.records.count);
  for (let i = 0; i < values.length; i++) values[i] = decoded.formats[i]! + 1;
  return { values, names };
}

function fieldValues(field: number, decoded: DecodedBatch, hash: KeyedHash): CounterValues {
  const column = decoded.columns[field]!;
  if (column.kind !== 'text') throw new TypeError('a counter counts by a text');
  const values = new Uint32Array(decoded.records.count);
  const names = new ValueNames(hash);
  for (let i = 0; i < values.length; i++) {
    const start = column.starts[i]!;
    if (start >= 0 && decoded.reasons[i] === DECODABLE) {
      values[i] = names.indexOf(textBytes(decoded, i), start, column.ends[i]!) + 1;
    }
  }
  return { values, names: names.names };
}

/** Divides each class by the values of one more counter. Classes are numbered as they appear. */
function divide(before: Classes, counter: Counter, { values, names }: CounterValues, decoded: DecodedBatch): Classes {
  const known = new Map<number, number>();
  const classes = new Uint16Array(values.length);
  const classCounters: (readonly string[])[] = [];
  for (let i = 0; i < values.length; i++) {
    if (decoded.reasons[i] !== DECODABLE) continue;
    const key = before.classes[i]! * VALUES_LIMIT + values[i]!;
    let index = known.get(key);
    if (index === undefined) {
      const counters = before.classCounters[before.classes[i]!]!;
      const name = values[i] === 0 ? undefined : names[values[i]! - 1]!;
      index = classCounters.push(name === undefined ? counters : [...counters, counterName(counter.name, name)]) - 1;
      known.set(key, index);
    }
    classes[i] = index;
  }
  return { classes, classCounters };
}
