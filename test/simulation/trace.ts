/**
 * What happened, line by line, for whoever reads a failing seed; and its hash, by which two runs are compared. Lines are
 * made only when somebody will read them: a run without a reader keeps the hash alone.
 */
import type { LogFields, Logger } from '../../runtime/logger.ts';

/** FNV-1a. */
const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;
const SHOWN_MS_DIGITS = 9;

export class Trace {
  readonly lines: string[] = [];
  readonly #isRead: boolean;
  readonly #nowMs: () => number;
  #hash = OFFSET;

  constructor(isRead: boolean, nowMs: () => number) {
    this.#isRead = isRead;
    this.#nowMs = nowMs;
  }

  /** @param detail made only for a reader; not in the hash, for it may show random bytes. */
  note(who: string, what: string, detail?: () => string): void {
    this.#mix(who);
    this.#mix(what);
    const nowMs = this.#nowMs();
    this.#mixNumber(Math.round(nowMs * 1_000));
    if (!this.#isRead) return;
    const time = (nowMs / 1_000).toFixed(3).padStart(SHOWN_MS_DIGITS);
    const shown = detail?.() ?? '';
    this.lines.push(`${time}  ${who.padEnd(6)} ${what}${shown === '' ? '' : `  ${shown}`}`);
  }

  hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  /** The process's log, in the trace. */
  loggerOf(who: string, bound: LogFields = {}): Logger {
    const line =
      (level: string) =>
      (message: string, fields: LogFields = {}): void =>
        this.note(who, `says ${level}: ${message}`, () => shortly({ ...bound, ...fields }));
    return {
      debug: () => undefined,
      info: line('info'),
      warn: line('warn'),
      error: line('error'),
      child: (fields) => this.loggerOf(who, { ...bound, ...fields }),
    };
  }

  #mix(text: string): void {
    for (let i = 0; i < text.length; i++) this.#mixNumber(text.charCodeAt(i));
  }

  #mixNumber(value: number): void {
    this.#hash = Math.imul(this.#hash ^ (value & 0xffff), PRIME);
    if (value > 0xffff) this.#hash = Math.imul(this.#hash ^ (Math.floor(value / 0x10000) & 0xffff), PRIME);
  }
}

const MAX_SHOWN = 300;
const LONG_ZEROS = /0{20,}/g;

/** Any value in one line: positions and sequence numbers without their leading zeros, columns by their length. */
export function shortly(value: unknown): string {
  const text = JSON.stringify(value, (_, inner: unknown) => {
    if (ArrayBuffer.isView(inner)) return `[${(inner as Uint8Array).length}]`;
    if (inner instanceof Set) return [...inner];
    if (isBufferText(inner)) return `[${inner.data.length}]`;
    return inner;
  });
  if (text === undefined) return '';
  const short = text.replaceAll(LONG_ZEROS, '').replaceAll('"', '').replaceAll('123456789012:logins:1790000000:', '');
  return short.length > MAX_SHOWN ? `${short.slice(0, MAX_SHOWN)}…` : short;
}

/** What JSON makes of a Buffer before anybody is asked. */
function isBufferText(value: unknown): value is { readonly data: readonly number[] } {
  return typeof value === 'object' && value !== null && 'data' in value && Array.isArray(value.data);
}
