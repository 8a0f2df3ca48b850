/**
 * The ledger job: one per fleet, worked by the leading controller. Now and then it claims every slot for its generation,
 * compares rows with leases (audit), forgets what no copy can need any more, and drops rows of shards that are no more.
 * A Redis that is away costs a round, never a wrong step: every step is refused that does not find the slot as claimed.
 */
import { isHealKey } from '../../lease/heal-lease.ts';
import { isFinished, type Lease, type LeaseKey, shardIdOf } from '../../lease/lease.ts';
import type { LeaseStore } from '../../lease/lease-store.ts';
import type { FleetStore } from '../../lease/worker-store.ts';
import type { CountedLayout, LedgerJob, LedgerReader, LedgerRow, LedgerSpec } from '../../ledger/ledger.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorFields, type Logger } from '../../runtime/logger.ts';
import type { Conditions } from '../conditions.ts';
import { type FleetView, leaseKeyPrefix } from '../fleet-view.ts';
import { auditRows, type Findings, outlivedRows, type SlotRows } from './audit.ts';
import { forgetPeriods } from './forgetting.ts';

/** The ledger as its job needs it. */
export interface JobLedger {
  readonly ledger: LedgerJob & Pick<LedgerReader, 'rows'>;
  readonly spec: LedgerSpec;
}

export interface LedgerJobOptions extends JobLedger {
  readonly leases: LeaseStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly conditions: Conditions;
  readonly auditMs: number;
  readonly fleet: Pick<FleetStore, 'raiseLedgerJob'>;
  readonly onError: (error: unknown) => void;
}

/** What a round found, for /metrics. */
export interface LedgerState {
  readonly shardsBehind: number;
  /** Periods that are not forgotten, of all slots together, and the identities in them. */
  readonly periods: number;
  readonly identities: number;
}

interface OpenedSlot {
  readonly low: number;
  readonly layouts: readonly CountedLayout[];
}

const FIRST_ROUND_MS = 2_000;

export class LedgerJobWatch {
  readonly #options: LedgerJobOptions;
  readonly #wanted = new Set<LeaseKey>();
  #generation: number | undefined;
  #raiseBy = 1;
  #state: LedgerState | undefined;

  constructor(options: LedgerJobOptions) {
    this.#options = options;
  }

  /** Undefined until a round is over. */
  state(): LedgerState | undefined {
    return this.#state;
  }

  /** Finished shards that need a heal lease. Whoever sees one healed takes it out; an audit finds it again if need be. */
  get wanted(): Set<LeaseKey> {
    return this.#wanted;
  }

  async run(view: FleetView, signal: AbortSignal): Promise<void> {
    const { clock, auditMs, onError, logger } = this.#options;
    await clock.sleep(Math.min(FIRST_ROUND_MS, auditMs), signal);
    while (!signal.aborted) {
      try {
        if (view.leases.isComplete() && view.fleet) await this.#round(view, signal);
      } catch (error) {
        if (!signal.aborted) logger.warn('ledger job', errorFields(error));
        onError(error);
      }
      await clock.sleep(auditMs, signal);
    }
    this.#state = undefined;
  }

  async #round(view: FleetView, signal: AbortSignal): Promise<void> {
    const { fleet, ledger, spec } = this.#options;
    this.#generation ??= await fleet.raiseLedgerJob(this.#raiseBy);
    if (this.#generation === undefined) return;
    const cached = view.leases.all().filter(({ key }) => !isHealKey(key));
    const opened: OpenedSlot[] = [];
    for (let slot = 0; slot < spec.slots; slot++) {
      const answer = await ledger.openJob(slot, this.#generation);
      if (answer.kind === 'fenced') {
        // Another leader's, or what the ledger remembers of a fleet table that was lost.
        this.#raiseBy = Math.max(1, answer.generation - this.#generation + 1);
        this.#generation = undefined;
        return;
      }
      opened.push(answer);
    }
    const slots = await Promise.all(opened.map((_, slot) => ledger.rows(slot)));
    if (signal.aborted) return;
    this.#report(auditRows(spec.name, cached, slots), opened);
    await this.#dropOutlived(view, slots, this.#generation);
    await this.#forget(view, slots, opened, this.#generation, signal);
  }

  #report({ behind, finishedBehind, lostSlots }: Findings, opened: readonly OpenedSlot[]): void {
    const { conditions } = this.#options;
    if (behind.length > 0) conditions.raise('LedgerBehind', { shards: behind.length, finished: finishedBehind.length });
    else conditions.clear('LedgerBehind');
    if (lostSlots.length > 0) conditions.raise('LedgerSlotLost', { slots: lostSlots.join(' ') });
    else conditions.clear('LedgerSlotLost');
    this.#wanted.clear();
    for (const key of finishedBehind) this.#wanted.add(key);
    const kept = opened.flatMap(({ low, layouts }) => layouts.filter(({ period }) => period >= low));
    this.#state = {
      shardsBehind: behind.length,
      periods: kept.length,
      identities: kept.reduce((sum, { identities }) => sum + identities, 0),
    };
  }

  async #dropOutlived(view: FleetView, slots: SlotRows, generation: number): Promise<void> {
    const { listing, fleet } = view;
    if (!listing || !fleet) return;
    const prefix = leaseKeyPrefix(fleet);
    const listed = new Set(listing.shards.map(({ shardId }) => shardId));
    const known = new Set(view.leases.all().map(({ key }) => key));
    const isListed = (key: LeaseKey): boolean => listed.has(shardIdOf(key));
    const candidates = outlivedRows(slots, known, (key) => key.startsWith(prefix), isListed);
    if (candidates.length === 0) return;
    const { leases, ledger, logger } = this.#options;
    const inTable = new Set<LeaseKey>();
    const readable = await leases.readAll(({ key }) => inTable.add(key));
    for (const { key } of readable) inTable.add(key);
    const dropped = candidates.filter((key) => !inTable.has(key));
    for (const slot of slots.keys()) if (dropped.length > 0) await ledger.dropRows(slot, generation, dropped);
    for (const key of dropped) logger.info('ledger rows of a shard that is no more are dropped', { leaseKey: key });
  }

  async #forget(
    view: FleetView,
    slots: SlotRows,
    opened: readonly OpenedSlot[],
    generation: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, ledger: job, logger, spec } = this.#options;
    for (const [slot, rows] of slots.entries()) {
      const parts = { job, spec, clock, unfinished: () => this.#unfinished(view, rows) };
      const { periods } = await forgetPeriods(parts, slot, generation, opened[slot]!, rows, signal);
      for (const period of periods) logger.info('identities of a period are forgotten', { slot, period });
    }
  }

  /**
   * A child's row exists before its parent's end shows. So whoever was seen unfinished first, or is in a listing begun
   * after that, is all there can be: a shard that ended in between is among the first, with the arrival it had reached.
   * A finished shard whose row the slot lost is not finished there: it will be counted again from its beginning. Of a
   * lease whose row is broken nobody can tell: without a row in the slot it may have everything before it.
   */
  async #unfinished(view: FleetView, rows: ReadonlyMap<string, LedgerRow>): Promise<LeaseKey[]> {
    const { leases, spec } = this.#options;
    const prefix = view.fleet ? leaseKeyPrefix(view.fleet) : '';
    const before = view.leases.all();
    const broken: LeaseKey[] = [];
    const after = await leases.readAll(({ key }) => broken.push(key));
    const lacksRow = ({ key, ledgerId }: Lease): boolean => ledgerId === spec.name && !rows.has(key);
    const open = [...before, ...after].filter((lease) => !isFinished(lease) || lacksRow(lease));
    const keys = [...open.map(({ key }) => key), ...broken.filter((key) => !rows.has(key))];
    return [...new Set(keys)].filter((key) => key.startsWith(prefix));
  }
}
