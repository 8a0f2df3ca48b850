/**
 * From the words of a pipeline file to a Pipeline: every name resolved to an index. Each part is looked at as far as
 * its own shape allows, so that one start reports all faults, those of shape and those of meaning.
 */
import type { z } from 'zod';
import type { Faults, YamlPath } from './faults.ts';
import { loadMessage, WantedFields } from './message-fields.ts';
import type { Counter, FieldKind, Format, Pipeline, Unique } from './pipeline.ts';
import { counterSchema, formatSchema, identitySchema, sourceSchema, uniqueSchema } from './schema.ts';

type Source = z.infer<typeof sourceSchema>;

const TEXT: readonly FieldKind[] = ['text'];
const INSTANT: readonly FieldKind[] = ['instant'];
const ANY: readonly FieldKind[] = ['text', 'instant'];

/**
 * @param text the parsed YAML, of any shape
 * @returns undefined when a fault was added
 */
export function compilePipeline(name: string, text: unknown, protoDir: string, faults: Faults): Pipeline | undefined {
  const compiler = new Compiler(text, faults);
  const source = compiler.part(['source'], sourceSchema);
  const fields = source && readMessage(source, protoDir, faults);
  if (!source || !fields) return undefined;
  const identity = compiler.identity(fields);
  const formats = compiler.formats(fields);
  const slotKey = compiler.slotKey(fields, identity?.fields ?? []);
  const counters = compiler.counters(fields);
  const uniques = compiler.uniques(fields);
  if (faults.any || !identity) return undefined;
  const kinds = identity.fields.map((index) => [fields.all[index]!.name, fields.all[index]!.kind]);
  const nameAt = (index: number | undefined): string | null => (index === undefined ? null : fields.all[index]!.name);
  return Object.freeze({
    name,
    source: source.format,
    ownRangeOnly: source.aggregates === 'ownRange',
    fields: fields.all,
    formats,
    identity,
    slotKey,
    counters,
    uniques,
    identityDescription: JSON.stringify({ fields: kinds, time: nameAt(identity.time), slotKey: nameAt(slotKey) }),
  });
}

function readMessage(source: Source, protoDir: string, faults: Faults): WantedFields | undefined {
  try {
    return new WantedFields(loadMessage(protoDir, source.proto, source.message));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    faults.add(['source', reason.startsWith('no message') ? 'message' : 'proto'], reason);
    return undefined;
  }
}

class Compiler {
  readonly #text: unknown;
  readonly #faults: Faults;

  constructor(text: unknown, faults: Faults) {
    this.#text = text;
    this.#faults = faults;
  }

  /** A part of the file if its shape is right; a wrong shape is reported by the schema of the whole. */
  part<T>(path: YamlPath, schema: z.ZodType<T>): T | undefined {
    const result = schema.safeParse(this.#at(path));
    return result.success ? result.data : undefined;
  }

  identity(fields: WantedFields): Pipeline['identity'] | undefined {
    const text = this.part(['identity'], identitySchema);
    if (!text) return undefined;
    const indexes = text.fields.map((name, i) => this.#field(fields, ['identity', 'fields', i], name, ANY));
    const time = text.time === undefined ? undefined : this.#field(fields, ['identity', 'time'], text.time, INSTANT);
    if (new Set(text.fields).size < text.fields.length) {
      this.#faults.add(['identity', 'fields'], 'names a field twice');
    }
    if (time !== undefined && !indexes.includes(time)) {
      this.#faults.add(['identity', 'time'], `"${text.time}" must be one of identity.fields`);
    }
    return { fields: indexes, time };
  }

  formats(fields: WantedFields): Format[] {
    const parts = this.#list('formats', formatSchema);
    parts.forEach(({ value }, i) => {
      const path: YamlPath = ['formats', i];
      if (i === parts.length - 1 && value?.when !== undefined) {
        this.#faults.add([...path, 'when'], 'the last format must have none: it takes what the others leave');
      }
      if (i < parts.length - 1 && value && value.when === undefined) {
        this.#faults.add(path, 'only the last format may have no "when": those after it would never match');
      }
    });
    return parts.flatMap(({ value, path }) => {
      if (!value) return [];
      const when = value.when === undefined ? undefined : this.#field(fields, [...path, 'when'], value.when, ANY);
      return [{ name: value.name, when }];
    });
  }

  slotKey(fields: WantedFields, identity: readonly number[]): number {
    const name = this.#at(['slotKey']);
    if (typeof name !== 'string' || name === '') return identity[0] ?? 0;
    const index = this.#field(fields, ['slotKey'], name, ANY);
    if (index >= 0 && !identity.includes(index)) {
      this.#faults.add(['slotKey'], `"${name}" must be one of identity.fields: copies must meet in one slot`);
    }
    return index;
  }

  counters(fields: WantedFields): Counter[] {
    return this.#list('counters', counterSchema).flatMap(({ value, path }) => {
      if (!value) return [];
      const by = value.by === 'format' ? 'format' : this.#field(fields, [...path, 'by'], value.by, TEXT);
      return [{ name: value.name, by }];
    });
  }

  uniques(fields: WantedFields): Unique[] {
    return this.#list('uniques', uniqueSchema).flatMap(({ value, path }) => {
      if (!value) return [];
      const field = this.#field(fields, [...path, 'field'], value.field, ANY);
      const per = value.per === undefined ? undefined : this.#field(fields, [...path, 'per'], value.per, TEXT);
      return [{ name: value.name, field, per, isApproximate: value.approximate === true }];
    });
  }

  /** Elements of a list by themselves, so that one wrong element does not hide the faults of the others. */
  #list<T extends { name: string }>(key: string, schema: z.ZodType<T>): { value: T | undefined; path: YamlPath }[] {
    const list = this.#at([key]);
    if (!Array.isArray(list)) return [];
    const parts = list.map((_, i) => ({ value: this.part([key, i], schema), path: [key, i] }));
    const names = new Set<string>();
    for (const { value, path } of parts) {
      if (value && names.has(value.name)) this.#faults.add([...path, 'name'], `"${value.name}" is there twice`);
      if (value) names.add(value.name);
    }
    return parts;
  }

  /** −1 when there is no such field; the fault is noted. */
  #field(fields: WantedFields, path: YamlPath, name: string, kinds: readonly FieldKind[]): number {
    const found = fields.find(name, kinds);
    if (typeof found === 'number') return found;
    this.#faults.add(path, found);
    return -1;
  }

  #at(path: YamlPath): unknown {
    let value = this.#text;
    for (const key of path) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
      value = Reflect.get(value, key);
    }
    return value;
  }
}
