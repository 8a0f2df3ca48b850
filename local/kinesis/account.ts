/**
 * Everything the server knows: its streams, its clock, its switches and its counts. Operations are functions of the
 * account and their arguments; they run to the end without waiting, so no request sees another's half-done change.
 * Neighbours: operations/ change it, server.ts owns it.
 */
import type { Clock } from '../../runtime/clock.ts';
import type { Arguments } from './arguments.ts';
import type { Faults } from './faults.ts';
import { invalidArgument, KinesisError, notFound } from './kinesis-error.ts';
import { Retention } from './retention.ts';
import type { Stats } from './stats.ts';
import { Stream, type StreamOrigin } from './stream.ts';

export interface AccountSettings {
  region: string;
  /** Twelve digits. */
  accountId: string;
  /** How long a stream stays CREATING, UPDATING or DELETING. */
  transitionMs: number;
  /** Bound on the records held by all streams together, as encoded. */
  maxBytes: number;
  /** Open shards of all streams together. */
  shardLimit: number;
  enforceLimits: boolean;
}

export class Account {
  readonly clock: Clock;
  readonly settings: Readonly<AccountSettings>;
  readonly faults: Faults;
  readonly stats: Stats;
  readonly retention: Retention;
  /** Whether rates and quotas are refused; switchable at run time. */
  enforceLimits: boolean;
  readonly #streams = new Map<string, Stream>();
  /** Per name, so that a recreated stream is told from its predecessor by time alone. */
  readonly #lastCreations = new Map<string, { createdMs: number; newestSecond: number }>();

  constructor(clock: Clock, settings: AccountSettings, faults: Faults, stats: Stats) {
    this.clock = clock;
    this.settings = settings;
    this.faults = faults;
    this.stats = stats;
    this.enforceLimits = settings.enforceLimits;
    this.retention = new Retention(settings.maxBytes, () => this.#streams.values());
  }

  /** Applies what time has brought; every request calls it first. */
  advance(): void {
    const nowMs = this.clock.wallMs();
    for (const stream of this.#streams.values()) {
      stream.advance(nowMs, this.clock.monotonicMs());
      if (stream.isGone) this.#forget(stream);
    }
    this.retention.sweepByAge(nowMs);
  }

  /** By name. */
  get streams(): Stream[] {
    return [...this.#streams.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get openShardCount(): number {
    return this.streams.reduce((sum, stream) => sum + stream.shards.filter((shard) => shard.isOpen).length, 0);
  }

  stream(name: string): Stream | undefined {
    return this.#streams.get(name);
  }

  /** The stream that StreamName or StreamARN names. */
  streamOf(args: Arguments): Stream {
    const name = this.streamNameOf(args);
    if (!name) throw invalidArgument('Either StreamName or StreamARN must be provided.');
    const stream = this.#streams.get(name);
    if (!stream) throw notFound(`Stream ${name} under account ${this.settings.accountId} not found.`);
    return stream;
  }

  streamNameOf(args: Arguments): string | undefined {
    const arn = args.optionalText('StreamARN');
    const name = args.optionalText('StreamName');
    if (arn === undefined) return name;
    const nameInArn = arn.slice(arn.indexOf('/') + 1);
    if (name !== undefined && name !== nameInArn) throw invalidArgument('StreamARN and StreamName do not match.');
    return arn === this.arnOf(nameInArn) ? nameInArn : this.#refuseArn(arn);
  }

  arnOf(streamName: string): string {
    return `arn:aws:kinesis:${this.settings.region}:${this.settings.accountId}:stream/${streamName}`;
  }

  /** When a change that starts now is done, monotonic. */
  transitionEndMs(): number {
    return this.clock.monotonicMs() + this.settings.transitionMs;
  }

  createStream(origin: Pick<StreamOrigin, 'name' | 'mode' | 'shardCount' | 'maxRecordBytes'>): void {
    if (this.#streams.has(origin.name)) {
      throw new KinesisError(
        'ResourceInUseException',
        `Stream ${origin.name} under account ${this.settings.accountId} already exists.`,
      );
    }
    const last = this.#lastCreations.get(origin.name);
    const createdMs = Math.max(this.clock.wallMs(), (last?.createdMs ?? 0) + 1);
    const createdSecond = Math.max(Math.floor(createdMs / 1000), (last?.newestSecond ?? 0) + 1);
    const arn = this.arnOf(origin.name);
    this.#streams.set(origin.name, new Stream({ ...origin, arn, createdMs, createdSecond }, this.transitionEndMs()));
    this.#lastCreations.set(origin.name, { createdMs, newestSecond: createdSecond });
  }

  #forget(stream: Stream): void {
    const newestSecond = Math.max(0, ...stream.shards.map((shard) => shard.createdSecond));
    this.#lastCreations.set(stream.name, { createdMs: stream.createdMs, newestSecond });
    this.#streams.delete(stream.name);
  }

  #refuseArn(arn: string): never {
    throw notFound(`Stream ${arn} not found.`);
  }
}
