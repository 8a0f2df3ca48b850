/**
 * The fields of a message, from its .proto file by reflection, and the table of those that a pipeline wants. A name
 * is resolved to an index here, so that no later stage knows names. Only text and instants can be wanted so far.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import type { FieldKind, WantedField } from './pipeline.ts';

const TIMESTAMP = '.google.protobuf.Timestamp';

/** Reads the message's definition. @throws Error with a message for people when file or message is missing. */
export function loadMessage(protoDir: string, file: string, message: string): protobuf.Type {
  const path = join(protoDir, file);
  if (!existsSync(path)) throw new Error(`there is no proto file ${file}`);
  const root = new protobuf.Root();
  root.resolvePath = (origin, target) => (origin === '' ? target : resolveImport(protoDir, target));
  root.loadSync(path, { keepCase: true });
  root.resolveAll();
  const found = root.lookup(message, [protobuf.Type]);
  if (!(found instanceof protobuf.Type)) throw new Error(`no message "${message}" in ${file}`);
  return found;
}

/** Imports are below the proto folder; google/protobuf/* comes with the library. */
function resolveImport(protoDir: string, target: string): string {
  return target.startsWith('google/protobuf/') ? target : join(protoDir, target);
}

/** Gives each field that is asked for an index, in the order of first asking. */
export class WantedFields {
  readonly #type: protobuf.Type;
  readonly #wanted: WantedField[] = [];

  constructor(type: protobuf.Type) {
    this.#type = type;
  }

  get all(): readonly WantedField[] {
    return this.#wanted;
  }

  /** The index of a field of one of these kinds, or why there is none. */
  find(name: string, kinds: readonly FieldKind[]): number | string {
    const field = Object.hasOwn(this.#type.fields, name) ? this.#type.fields[name] : undefined;
    if (!field) return `no field "${name}" in ${this.#type.name}${this.#suggestion(name)}`;
    const kind = kindOf(field);
    if (!kind) return `field "${name}" is ${typeText(field)}; only string and google.protobuf.Timestamp can be used`;
    if (!kinds.includes(kind)) {
      return `field "${name}" is ${kind === 'instant' ? 'a time' : 'a text'}; this must be ${kinds[0] === 'instant' ? 'a time' : 'a text'}`;
    }
    const known = this.#wanted.findIndex((wanted) => wanted.name === name);
    if (known >= 0) return known;
    return this.#wanted.push({ name, jsonName: jsonNameOf(field), number: field.id, kind }) - 1;
  }

  #suggestion(name: string): string {
    const limit = Math.max(1, Math.floor(name.length / 3));
    const near = this.#type.fieldsArray
      .map((field) => ({ name: field.name, distance: editDistance(plain(name), plain(field.name)) }))
      .filter((candidate) => candidate.distance <= limit)
      .sort((a, b) => a.distance - b.distance)[0];
    return near ? ` (did you mean ${near.name}?)` : ` (it has ${this.#type.fieldsArray.map((f) => f.name).join(', ')})`;
  }
}

function kindOf(field: protobuf.Field): FieldKind | undefined {
  if (field.repeated || field.map) return undefined;
  if (field.type === 'string') return 'text';
  return field.resolvedType?.fullName === TIMESTAMP ? 'instant' : undefined;
}

function typeText(field: protobuf.Field): string {
  return `${field.repeated ? 'repeated ' : field.map ? 'a map of ' : ''}${field.type}`;
}

/** json_name where the file gives one, else lowerCamelCase as the protobuf JSON mapping makes it. */
function jsonNameOf(field: protobuf.Field): string {
  const given: unknown = field.options?.json_name;
  if (typeof given === 'string') return given;
  return field.name.replace(/_+(.)?/g, (_, next: string | undefined) => (next ?? '').toUpperCase());
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll('_', '');
}

/** Levenshtein distance of two short texts. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (a[i] === b[j] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
