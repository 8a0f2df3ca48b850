/**
 * A dead letter as JSON texts that fit a Kinesis record of the ordinary size, and back. A payload may be as large as the
 * largest record, and grows by a third on the way; so it goes in as many parts as it needs, under one partition key,
 * which keeps them in order. A reader joins the parts of a (shard, position); of parts that are there twice it takes one.
 */
import { type DeadLetter, letterOf } from './dead-letter.ts';

/** With base64 and envelope below 1 MiB. */
const PART_BYTES = 700 * 1024;

/** The JSON of one part. */
export interface LetterPart {
  readonly stream: string;
  readonly shard: string;
  readonly position: string;
  /** ISO 8601 would lose nothing, but a number needs no parser: milliseconds since 1970. */
  readonly arrival: number;
  readonly reason: string;
  /** Counted from 1. */
  readonly part: number;
  readonly parts: number;
  /** base64 */
  readonly bytes: string;
}

export function partsOf({ stream, shard, position, arrivalMs, reason, bytes }: DeadLetter): LetterPart[] {
  const parts = Math.max(1, Math.ceil(bytes.length / PART_BYTES));
  const payload = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: parts }, (_, i) => ({
    ...{ stream, shard, position, arrival: arrivalMs, reason, part: i + 1, parts },
    bytes: payload.toString('base64', i * PART_BYTES, Math.min((i + 1) * PART_BYTES, payload.length)),
  }));
}

/** Letters of parts in any order, as they become whole. What is no part is passed over. */
export class LetterJoiner {
  readonly #open = new Map<string, (Buffer | undefined)[]>();
  readonly #done = new Set<string>();

  /** The letter that this text completes. */
  add(text: string): DeadLetter | undefined {
    const part = parsePart(text);
    if (!part) return undefined;
    const key = `${part.position} ${part.shard}`;
    if (this.#done.has(key)) return undefined;
    const found = this.#open.get(key) ?? new Array<Buffer | undefined>(part.parts).fill(undefined);
    found[part.part - 1] = Buffer.from(part.bytes, 'base64');
    this.#open.set(key, found);
    const whole = found.filter((bytes) => bytes !== undefined);
    if (whole.length < part.parts) return undefined;
    this.#open.delete(key);
    this.#done.add(key);
    return letterOf((field) => textOf(part, field), Buffer.concat(whole));
  }
}

function parsePart(text: string): LetterPart | undefined {
  try {
    const part = JSON.parse(text) as Partial<LetterPart> | null;
    const { part: number, parts, bytes } = part ?? {};
    const isPart = Number.isInteger(number) && Number.isInteger(parts) && typeof bytes === 'string';
    return isPart && number! >= 1 && number! <= parts! && parts! <= 100 ? (part as LetterPart) : undefined;
  } catch {
    return undefined;
  }
}

function textOf(part: LetterPart, field: string): string | undefined {
  const value: unknown = Reflect.get(part, field);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
