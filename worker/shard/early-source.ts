/**
 * A source that reads while the slots are being opened, from where it will most likely begin: the checkpoint of the
 * lease row. Reading changes nothing anywhere, so a wrong guess costs a read, and a right one saves two round trips of
 * the time in which the shard has no owner that counts.
 */
import type { Checkpoint } from '../../lease/position.ts';
import type { OpenSource, ShardSource, SourceStart } from '../source/shard-source.ts';

export class EarlySource {
  readonly #open: OpenSource;
  readonly #shardId: string;
  #early: { readonly start: SourceStart; readonly source: ShardSource } | undefined;

  constructor(open: OpenSource, shardId: string) {
    this.#open = open;
    this.#shardId = shardId;
  }

  begin(checkpoint: Checkpoint): void {
    if (checkpoint.kind === 'LATEST' || checkpoint.kind === 'SHARD_END') return;
    this.#early = { start: checkpoint, source: this.#open(this.#shardId, checkpoint) };
  }

  /** The source that begins at `start`: the one that reads already, if that was the guess. */
  take(start: SourceStart): ShardSource {
    if (!this.#early || !isSame(start, this.#early.start)) return this.#open(this.#shardId, start);
    const { source } = this.#early;
    this.#early = undefined;
    return source;
  }

  /** Ends what nobody took. */
  close(): void {
    this.#early?.source.close();
    this.#early = undefined;
  }
}

function isSame(a: SourceStart, b: SourceStart): boolean {
  if (a.kind === 'AFTER') return b.kind === 'AFTER' && a.position === b.position;
  if (a.kind === 'AT_TIMESTAMP') return b.kind === 'AT_TIMESTAMP' && a.timestampMs === b.timestampMs;
  return a.kind === b.kind;
}
