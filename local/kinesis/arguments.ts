/**
 * Reads a request's members, checked as the API reference states them. A member of the wrong JSON type is a
 * SerializationException, a missing or ill-formed one a ValidationException, worded as AWS words them.
 * Neighbour: the operations ask for what they need; nothing else looks at the raw request.
 */
import { KinesisError } from './kinesis-error.ts';

interface TextRule {
  pattern?: RegExp;
  maxLength: number;
}

const NAME: TextRule = { pattern: /^[a-zA-Z0-9_.-]+$/, maxLength: 128 };
const HASH_KEY: TextRule = { pattern: /^(0|[1-9]\d{0,38})$/, maxLength: 39 };
const ANY: TextRule = { maxLength: 1_048_576 };

const TEXT_RULES: Readonly<Record<string, TextRule>> = {
  StreamName: NAME,
  StreamARN: { pattern: /^arn:aws[^:]*:kinesis:[^:]*:\d{12}:stream\/\S+$/, maxLength: 2048 },
  ShardId: NAME,
  ShardToSplit: NAME,
  ShardToMerge: NAME,
  AdjacentShardToMerge: NAME,
  ExclusiveStartShardId: NAME,
  ExclusiveStartStreamName: NAME,
  NewStartingHashKey: HASH_KEY,
  StartingSequenceNumber: { pattern: /^(0|[1-9]\d{0,128})$/, maxLength: 129 },
  ShardIterator: { maxLength: 512 },
};

export class Arguments {
  readonly #members: Readonly<Record<string, unknown>>;
  readonly #path: string;

  constructor(members: Readonly<Record<string, unknown>>, path = '') {
    this.#members = members;
    this.#path = path;
  }

  has(name: string): boolean {
    return this.#members[name] !== undefined && this.#members[name] !== null;
  }

  /** As it came, for callers that check it themselves. */
  raw(name: string): unknown {
    return this.#members[name];
  }

  optionalText(name: string): string | undefined {
    const value = this.#members[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'string') throw wrongType(name, 'String');
    const { pattern, maxLength } = TEXT_RULES[name] ?? ANY;
    if (value.length < 1) throw this.#invalid(name, value, 'Member must have length greater than or equal to 1');
    if (value.length > maxLength) {
      throw this.#invalid(name, value, `Member must have length less than or equal to ${maxLength}`);
    }
    if (pattern && !pattern.test(value)) {
      throw this.#invalid(name, value, `Member must satisfy regular expression pattern: ${pattern.source}`);
    }
    return value;
  }

  text(name: string): string {
    return this.optionalText(name) ?? this.#missing(name);
  }

  optionalInteger(name: string, least: number, most: number): number | undefined {
    const value = this.optionalNumber(name);
    if (value === undefined) return undefined;
    if (value < least) {
      throw this.#invalid(name, value, `Member must have value greater than or equal to ${least}`);
    }
    if (value > most) throw this.#invalid(name, value, `Member must have value less than or equal to ${most}`);
    return Math.floor(value);
  }

  integer(name: string, least: number, most: number): number {
    return this.optionalInteger(name, least, most) ?? this.#missing(name);
  }

  optionalNumber(name: string): number | undefined {
    const value = this.#members[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'number' || !Number.isFinite(value)) throw wrongType(name, 'number');
    return value;
  }

  /** Epoch seconds on the wire, milliseconds here. */
  optionalTimestampMs(name: string): number | undefined {
    const seconds = this.optionalNumber(name);
    return seconds === undefined ? undefined : Math.round(seconds * 1000);
  }

  optionalOneOf<Value extends string>(name: string, values: readonly Value[]): Value | undefined {
    const text = this.optionalText(name);
    if (text === undefined) return undefined;
    const value = values.find((candidate) => candidate === text);
    if (!value) throw this.#invalid(name, text, `Member must satisfy enum value set: [${values.join(', ')}]`);
    return value;
  }

  oneOf<Value extends string>(name: string, values: readonly Value[]): Value {
    return this.optionalOneOf(name, values) ?? this.#missing(name);
  }

  optionalStructure(name: string): Arguments | undefined {
    const value = this.#members[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'object' || Array.isArray(value)) throw wrongType(name, 'structure');
    return new Arguments(value as Record<string, unknown>, `${this.#path}${lowerFirst(name)}.`);
  }

  /** The members as they came; for lists whose entries are checked in a tight loop. */
  list(name: string, least: number, most: number): readonly unknown[] {
    const value = this.#members[name];
    if (value === undefined || value === null) return this.#missing(name);
    if (!Array.isArray(value)) throw wrongType(name, 'list');
    if (value.length < least || value.length > most) {
      const bound = value.length < least ? `greater than or equal to ${least}` : `less than or equal to ${most}`;
      throw this.#invalid(name, `${value.length} members`, `Member must have length ${bound}`);
    }
    return value;
  }

  #missing(name: string): never {
    throw new KinesisError(
      'ValidationException',
      `1 validation error detected: Value null at '${this.#path}${lowerFirst(name)}' failed to satisfy constraint: Member must not be null`,
    );
  }

  #invalid(name: string, value: string | number, constraint: string): KinesisError {
    return new KinesisError(
      'ValidationException',
      `1 validation error detected: Value '${value}' at '${this.#path}${lowerFirst(name)}' failed to satisfy constraint: ${constraint}`,
    );
  }
}

function wrongType(name: string, type: string): KinesisError {
  return new KinesisError('SerializationException', `${name} can not be converted to a ${type}`);
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
