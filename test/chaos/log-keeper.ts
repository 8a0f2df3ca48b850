/**
 * Keeps what every process said: all of it in a file per process, for the case that something is unequal, and how often
 * each message came, for the report. Log messages are constant texts, so counting them tells what happened.
 */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Beyond this many lines a file only counts: a process in a loop must not fill the disk. */
const MAX_LINES = 200_000;

/** Fields of a few values each that tell kinds of a message apart. */
const KINDS: ReadonlyMap<string, readonly string[]> = new Map([
  ['shard consumer changed', ['state', 'event']],
  ['lease lost', ['lossReason']],
  ['lease moved', ['verb', 'reason']],
  ['opening again', ['because']],
  ['condition began', ['condition']],
  ['reconciler failed', ['reconciler', 'error']],
]);

export class LogKeeper {
  readonly dir = mkdtempSync(join(tmpdir(), 'kinesis-fleet-chaos-'));
  readonly #counts = new Map<string, number>();
  readonly #lines = new Map<string, number>();

  take(process: string, line: string): void {
    const lines = (this.#lines.get(process) ?? 0) + 1;
    this.#lines.set(process, lines);
    if (lines <= MAX_LINES) appendFileSync(join(this.dir, `${process}.log`), `${line}\n`);
    const message = messageOf(line);
    this.#counts.set(message, (this.#counts.get(message) ?? 0) + 1);
  }

  linesOf(process: string): number {
    return this.#lines.get(process) ?? 0;
  }

  /** Message to how often it came, most frequent first. What is not JSON counts as 'not a log line'. */
  get counts(): readonly (readonly [message: string, count: number])[] {
    return [...this.#counts].toSorted(([, a], [, b]) => b - a);
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** With the field that tells kinds apart where a message has one. */
function messageOf(line: string): string {
  try {
    const fields = JSON.parse(line) as Record<string, unknown>;
    if (typeof fields.message !== 'string') return 'not a log line';
    const kinds = (KINDS.get(fields.message) ?? []).map((name) => fields[name]);
    return [fields.message, ...kinds].filter((part) => typeof part === 'string').join(' · ');
  } catch {
    return 'not a log line';
  }
}
