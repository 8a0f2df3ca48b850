/**
 * The dead letters in Redis as people handle them: counted, read in the order in which they were stored, taken out when
 * they were replayed. Beside the fleet's processes, and while they go on.
 */
import type { LedgerConnection } from '../../ledger/redis/connection.ts';
import { callScript } from '../../ledger/redis/scripts.ts';
import { type DeadLetter, letterOf } from './dead-letter.ts';
import { deadLetterKeys, loadScript } from './redis-dead-letters.ts';

export interface StoredTotals {
  readonly letters: number;
  /** What they count towards the bound. */
  readonly bytes: number;
  /** Oldest ones that made room, ever. */
  readonly dropped: number;
}

/** Payloads read in one call; a single letter may be larger. */
const READ_BYTES = 4 * 1024 * 1024;
const READ_LETTERS = 200;
/** Each may have to be looked for in a list of hundreds of thousands, and nobody else is served meanwhile. */
const REMOVED_PER_CALL = 10;
const removeScript = loadScript('remove-letter.lua');

export class RedisLetterStore {
  readonly #connection: LedgerConnection;
  readonly #keys: readonly [string, string, string, string];

  constructor(connection: LedgerConnection, ledgerName: string, pipeline: string) {
    this.#connection = connection;
    this.#keys = deadLetterKeys(ledgerName, pipeline);
  }

  async totals(): Promise<StoredTotals> {
    const [stream, , totals] = this.#keys;
    const { answer: letters } = await this.#connection.call(stream, (client) => client.xlen(stream));
    const { answer } = await this.#connection.call(totals, (client) => client.hmget(totals, 'bytes', 'dropped'));
    const [bytes, dropped] = answer.map((value) => Number(value ?? 0)) as [number, number];
    return { letters, bytes, dropped };
  }

  /** Oldest first; those that are stored meanwhile are not among them. */
  async *letters(): AsyncGenerator<DeadLetter, void, undefined> {
    const [stream, sizes] = this.#keys;
    const { answer: listed } = await this.#connection.call(sizes, (client) => client.lrange(sizes, 0, -1));
    for (const [first, last] of rangesOf(listed)) {
      const { answer: entries } = await this.#connection.call(stream, (client) =>
        client.xrangeBuffer(stream, first, last),
      );
      for (const [, fields] of entries) {
        const letter = letterOfFields(fields);
        if (letter) yield letter;
      }
    }
  }

  /** @returns how many were still there. */
  async remove(letters: readonly DeadLetter[]): Promise<number> {
    const ids = letters.map(({ position, shard }) => `${position} ${shard}`);
    let removed = 0;
    for (let from = 0; from < ids.length; from += REMOVED_PER_CALL) {
      const args = ids.slice(from, from + REMOVED_PER_CALL);
      const { answer } = await this.#connection.call(this.#keys[0], (client) =>
        callScript(client, removeScript, { keys: [...this.#keys], args }),
      );
      removed += Number(answer[0]);
    }
    return removed;
  }
}

/** Entry ids from … to, of letters that are small enough to be read together. */
function rangesOf(listed: readonly string[]): [first: string, last: string][] {
  const ranges: [first: string, last: string][] = [];
  let [count, bytes] = [0, 0];
  for (const line of listed) {
    const [size = '0', id = ''] = line.split(' ', 2);
    const range = ranges.at(-1);
    if (range && count < READ_LETTERS && bytes + Number(size) <= READ_BYTES) range[1] = id;
    else {
      ranges.push([id, id]);
      [count, bytes] = [0, 0];
    }
    count += 1;
    bytes += Number(size);
  }
  return ranges;
}

function letterOfFields(fields: readonly Buffer[]): DeadLetter | undefined {
  const values = new Map<string, Buffer>();
  for (let i = 0; i + 1 < fields.length; i += 2) values.set(fields[i]!.toString('latin1'), fields[i + 1]!);
  return letterOf((field) => values.get(field)?.toString('utf8'), values.get('bytes') ?? Buffer.alloc(0));
}
