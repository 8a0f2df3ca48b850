/**
 * Watches the stream beside the ticks, so that a slow Kinesis never delays a failover: who the stream is, which
 * shards it has, which it has no more. Creates the fleet row when there is none; when there is one of another stream,
 * nothing is done but saying so, unless the settings want a recreated one to be begun. A missing stream is waited for.
 */
import { randomBytes } from 'node:crypto';
import { isFree } from '../../lease/lease.ts';
import { type FleetRow, type FleetStore, SCHEMA_VERSION } from '../../lease/worker-store.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorFields, type Logger } from '../../runtime/logger.ts';
import type { Conditions } from '../conditions.ts';
import type { InitialPosition } from '../config.ts';
import { type FleetView, type ListedShards, leasesByShard } from '../fleet-view.ts';
import { type StreamDescription, type StreamSource, StreamUnavailable } from '../stream-source.ts';
import { Wakeup } from '../wakeup.ts';
import { Absences } from './absences.ts';

export interface StreamWatchOptions {
  readonly stream: string;
  readonly source: StreamSource;
  readonly fleet: Pick<FleetStore, 'createFleet' | 'adoptStream'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly conditions: Conditions;
  readonly initial: InitialPosition;
  /** What to do about a stream that was deleted and created again. */
  readonly onStreamRecreated: 'stop' | 'reset';
  readonly listShardsMs: number;
  /** Told when the fleet went over to a recreated stream. */
  readonly onAdopted: () => void;
  /** Told after each listing: a tick may have something to do. */
  readonly onListed: () => void;
  /** Told of each look that failed. */
  readonly onError: (error: unknown) => void;
}

/** Two hinted listings are at least this far apart. */
const MIN_GAP_MS = 250;
const RETRY_MS = 1_000;
const HASH_SEED_BYTES = 16;

export class StreamWatch {
  readonly #options: StreamWatchOptions;
  readonly #wakeup: Wakeup;
  readonly #absences = new Absences();
  #describedMs = Number.NEGATIVE_INFINITY;

  constructor(options: StreamWatchOptions) {
    this.#options = options;
    this.#wakeup = new Wakeup(options.clock, MIN_GAP_MS);
  }

  /** A shard ended: list now. */
  lookNow(): void {
    this.#wakeup.now();
  }

  async run(view: FleetView, signal: AbortSignal): Promise<void> {
    const { conditions, listShardsMs, onError, stream } = this.#options;
    while (!signal.aborted) {
      let isListed = false;
      try {
        isListed = await this.#look(view, signal);
        conditions.clear('StreamUnreachable');
      } catch (error) {
        if (signal.aborted) return;
        const condition = error instanceof StreamUnavailable ? 'StreamUnreachable' : 'TableUnreachable';
        conditions.raise(condition, { stream, ...errorFields(error) });
        onError(error);
      }
      const isSoon = !isListed || this.#awaitsAbsentParent(view);
      await this.#wakeup.wait(isSoon ? Math.min(RETRY_MS, listShardsMs) : listShardsMs, signal);
    }
  }

  /** True when the stream is the fleet's and was listed. */
  async #look(view: FleetView, signal: AbortSignal): Promise<boolean> {
    const { clock, conditions, fleet, initial, listShardsMs, onListed, source, stream } = this.#options;
    const startedMs = clock.monotonicMs();
    if (startedMs - this.#describedMs >= listShardsMs || !view.fleet || conditions.haltsChanges()) {
      const description = await source.describe(signal);
      if (description === 'missing') return this.#missing(view, stream);
      conditions.clear('StreamMissing');
      const row = await fleet.createFleet({
        streamArn: description.arn,
        streamCreationEpochSeconds: description.creationEpochSeconds,
        schemaVersion: SCHEMA_VERSION,
        // The same again when the row was deleted under us: another seed would make every identity a new one.
        hashSeed: view.fleet?.hashSeed ?? randomBytes(HASH_SEED_BYTES).toString('hex'),
      });
      view.fleet = await this.#adopted(row, description);
      if (!this.#isSameStream(view.fleet, description)) return false;
      this.#describedMs = startedMs;
    }
    const hasBegun = view.leases.isComplete() && leasesByShard(view).size > 0;
    const openAtMs = initial.kind === 'AT_TIMESTAMP' && !hasBegun ? initial.timestampMs : undefined;
    const listed = await source.list(signal, openAtMs);
    if (listed === 'missing') return this.#missing(view, stream);
    view.listing = { ...listed, gone: this.#absences.saw(listed.shards, shardsAskedFor(view, listed)) };
    onListed();
    return true;
  }

  /** A child that could begin if only its parent were known to be gone is worth a few listings soon. */
  #awaitsAbsentParent({ leases, listing, fleet }: FleetView): boolean {
    if (!listing || !fleet || !leases.isComplete()) return false;
    const own = leasesByShard({ leases, fleet });
    const known = new Set([...own.keys(), ...listing.shards.map((shard) => shard.shardId), ...listing.gone]);
    return listing.shards.some(({ shardId, parents }) => {
      const lease = own.get(shardId);
      return (!lease || isFree(lease)) && parents.some((parent) => !known.has(parent));
    });
  }

  /** The fleet row as it is, or, where that is wanted, gone over to the stream of today: never to an older one. */
  async #adopted(row: FleetRow, seen: StreamDescription): Promise<FleetRow> {
    const { fleet, logger, onAdopted, onStreamRecreated } = this.#options;
    const isNewer = row.streamArn === seen.arn && seen.creationEpochSeconds > row.streamCreationEpochSeconds;
    if (!isNewer || onStreamRecreated === 'stop') return row;
    const adopted = await fleet.adoptStream(row.streamCreationEpochSeconds, seen.creationEpochSeconds);
    if (adopted?.streamCreationEpochSeconds !== seen.creationEpochSeconds) return adopted ?? row;
    this.#absences.forget();
    logger.error('stream was created again: the fleet reads the new one from its beginning', {
      stream: seen.arn,
      fromCreationEpochSeconds: row.streamCreationEpochSeconds,
      toCreationEpochSeconds: seen.creationEpochSeconds,
    });
    onAdopted();
    return adopted;
  }

  #missing(view: FleetView, stream: string): false {
    // Without a stream no shard is known to be gone: nobody's parent may be taken for expired.
    view.listing = undefined;
    this.#absences.forget();
    this.#describedMs = Number.NEGATIVE_INFINITY;
    this.#options.conditions.raise('StreamMissing', { stream, waiting: 'for the stream to be created' });
    return false;
  }

  #isSameStream(fleet: NonNullable<FleetView['fleet']>, seen: StreamDescription): boolean {
    const { conditions } = this.#options;
    const differs = fleet.streamArn !== seen.arn;
    const recreated = !differs && fleet.streamCreationEpochSeconds !== seen.creationEpochSeconds;
    const otherSchema = fleet.schemaVersion !== SCHEMA_VERSION;
    const fields = { fleetStream: fleet.streamArn, stream: seen.arn };
    if (differs) conditions.raise('StreamDiffers', fields);
    else conditions.clear('StreamDiffers');
    if (recreated) {
      conditions.raise('StreamRecreated', {
        ...fields,
        fleetCreationEpochSeconds: fleet.streamCreationEpochSeconds,
        streamCreationEpochSeconds: seen.creationEpochSeconds,
      });
    } else conditions.clear('StreamRecreated');
    if (otherSchema) conditions.raise('SchemaDiffers', { found: fleet.schemaVersion, known: SCHEMA_VERSION });
    else conditions.clear('SchemaDiffers');
    return !differs && !recreated && !otherSchema;
  }
}

/** Those that have rows, and the parents of those and of all that is listed: whoever waits, waits for one of these. */
function shardsAskedFor(view: FleetView, { shards }: ListedShards): ReadonlySet<string> {
  const own = leasesByShard(view);
  return new Set([...own.keys(), ...[...own.values(), ...shards].flatMap(({ parents }) => parents)]);
}
