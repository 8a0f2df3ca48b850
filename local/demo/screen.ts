/**
 * The demo's terminal: a block that is redrawn in place, with a line above it for each event. Where there is no
 * terminal (a pipe, CI) every event is a line, and the block shrinks to one line each few seconds.
 */
import { isFinished, type Lease } from '../../lease/lease.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Sight } from '../observe.ts';

const BAR_WIDTH = 30;
const PLAIN_EVERY_MS = 5_000;
const LINE_UP = '\u001b[1A\u001b[2K';

export interface Production {
  readonly produced: number;
  readonly records: number;
}

export class Screen {
  readonly #out: NodeJS.WriteStream;
  readonly #clock: Clock;
  readonly #startMs: number;
  #height = 0;
  #lastPlainMs = Number.NEGATIVE_INFINITY;

  constructor(out: NodeJS.WriteStream, clock: Clock) {
    this.#out = out;
    this.#clock = clock;
    this.#startMs = clock.monotonicMs();
  }

  /** Something happened: one line that stays. */
  event(text: string): void {
    this.#clear();
    this.#out.write(`${this.#elapsed()}  ${text}\n`);
  }

  draw(sight: Sight, production: Production, workers: readonly string[]): void {
    if (!this.#out.isTTY) {
      this.#drawPlain(sight, production, workers);
      return;
    }
    this.#clear();
    const lines = [
      '',
      ...sight.leases.filter((lease) => !isFinished(lease)).map((lease) => shardLine(lease, sight)),
      `${sight.leases.filter(isFinished).length} shards finished · workers: ${workers.join(' ')}`,
      bar(production, sight.counts.records),
      totalsLine(sight),
    ];
    this.#out.write(`${lines.join('\n')}\n`);
    this.#height = lines.length;
  }

  /** What is said last, below everything. */
  end(text: string): void {
    this.#clear();
    this.#out.write(`\n${text}\n`);
  }

  #drawPlain(sight: Sight, production: Production, workers: readonly string[]): void {
    const now = this.#clock.monotonicMs();
    if (now - this.#lastPlainMs < PLAIN_EVERY_MS) return;
    this.#lastPlainMs = now;
    const open = sight.leases.filter((lease) => !isFinished(lease));
    const held = open.filter((lease) => lease.owner !== undefined).length;
    this.event(
      `produced ${production.produced}/${production.records} · ${totalsLine(sight)} · ${held} of ${open.length} open shards held by ${workers.length} workers`,
    );
  }

  #clear(): void {
    if (this.#height > 0) this.#out.write(LINE_UP.repeat(this.#height));
    this.#height = 0;
  }

  #elapsed(): string {
    return `${((this.#clock.monotonicMs() - this.#startMs) / 1_000).toFixed(1).padStart(5)} s`;
  }
}

function shardLine(lease: Lease, sight: Sight): string {
  const owner = shortName(lease.owner) ?? '(free)';
  const from = lease.checkpointOwner ? `${shortName(lease.checkpointOwner)} → ` : '';
  const lag = sight.lagByShard.get(lease.shardId);
  return `  ${lease.shardId}  ${`${from}${owner}`.padEnd(24)}  generation ${String(lease.generation).padStart(2)}  lag ${
    lag === undefined ? '   -' : `${lag.toFixed(1).padStart(4)} s`
  }`;
}

/** `worker-3` of `worker-3-<nonce>`. */
function shortName(workerId: string | undefined): string | undefined {
  return workerId === undefined ? undefined : (/^worker-\d+/.exec(workerId)?.[0] ?? workerId);
}

function bar({ produced, records }: Production, counted: number): string {
  const filled = Math.round((Math.min(counted, records) / Math.max(1, records)) * BAR_WIDTH);
  return `[${'█'.repeat(filled)}${'·'.repeat(BAR_WIDTH - filled)}] produced ${produced} of ${records}, counted ${counted}`;
}

function totalsLine({ counts, handoffs, takeovers, replayed }: Sight): string {
  return `fresh ${counts.fresh} · duplicate ${counts.duplicate} · undecodable ${counts.undecodable} · players ${String(
    counts.uniquePlayers,
  )} · handoffs ${handoffs} · takeovers ${takeovers} · replayed ${replayed}`;
}
