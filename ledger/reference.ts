/**
 * The ledger in plain TypeScript: what the scripts in ledger/redis must do, said as simply as possible. It is the fake
 * of the tests and the simulation; one contract suite holds both to the same answers. Identities are remembered per
 * period without buckets: buckets must never show in an answer. A slot is plain data, so a test may keep a clone of it
 * and put it back: that is how Redis loses the tail of a slot.
 */
import { maxPosition, type Position, positionOf } from '../lease/position.ts';
import { DUPLICATE, FRESH, UNDECODABLE } from './counter-names.ts';
import type {
  AdvanceAnswer,
  AdvanceRequest,
  CommitAnswer,
  CommitRequest,
  CountedLayout,
  Ledger,
  LedgerReader,
  LedgerRow,
  LedgerSpec,
  OpenAnswer,
  OpenRequest,
  PositionColumn,
  Refusal,
} from './ledger.ts';

interface NotedDuplicates {
  readonly to: Position;
  readonly positions: readonly Position[];
}

interface Period {
  readonly buckets: number;
  identities: number;
  readonly ids: Set<number>;
}

/** One slot. Structured clones of it are snapshots. */
export interface ReferenceSlot {
  readonly rows: Map<string, LedgerRow>;
  readonly noted: Map<string, NotedDuplicates[]>;
  readonly periods: Map<number, Period>;
  readonly counters: Map<string, number>;
  readonly uniques: Map<string, Set<string>>;
  /** Of the ledger job: its generation, and the first period that is kept. */
  readonly job: { generation: number; low: number };
}

/** All that the ledger holds, and the number of the connection that answers carry: raise it to mean a reconnect. */
export interface ReferenceState {
  connection: number;
  readonly slots: ReferenceSlot[];
}

export function emptyReferenceSlot(): ReferenceSlot {
  return {
    ...{ rows: new Map(), noted: new Map(), periods: new Map(), counters: new Map(), uniques: new Map() },
    job: { generation: 0, low: 0 },
  };
}

export function emptyReferenceState(slots: number): ReferenceState {
  return { connection: 1, slots: Array.from({ length: slots }, emptyReferenceSlot) };
}

export function createReferenceLedger(
  spec: Pick<LedgerSpec, 'slots'>,
  state: ReferenceState = emptyReferenceState(spec.slots),
): Ledger & LedgerReader {
  const slotOf = (slot: number): ReferenceSlot => state.slots[slot]!;
  return {
    open: async (request) => ({ ...open(slotOf(request.slot), request), connection: state.connection }),
    commit: async (request) => ({ ...commit(slotOf(request.slot), request), connection: state.connection }),
    advance: async (slot, requests) => ({
      answers: requests.map((request) => advance(slotOf(slot), request)),
      connection: state.connection,
    }),
    totals: async () => {
      const totals = new Map<string, number>();
      for (const { counters } of state.slots) for (const [name, by] of counters) raise(totals, name, by);
      return totals;
    },
    rows: async (slot) => new Map(slotOf(slot).rows),
  };
}

function open(slot: ReferenceSlot, { shard, generation, start }: OpenRequest): OpenAnswer {
  const old = slot.rows.get(shard);
  if (old && old.generation > generation) return { kind: 'fenced', generation: old.generation };
  if (!old && start === undefined) return { kind: 'missing' };
  const row = old
    ? { ...old, generation }
    : { generation, position: start!, token: '-', floor: start!, arrivalMs: 0, watermarkMs: 0 };
  slot.rows.set(shard, row);
  const noted = (slot.noted.get(shard) ?? []).flatMap(({ positions }) => positions);
  const duplicates = ascending(noted.filter((position) => position > row.floor));
  const kept = [...slot.periods.keys()].filter((period) => period >= slot.job.low).sort((a, b) => a - b);
  const layouts = kept.map((period) => layoutOf(slot, period));
  return { kind: 'opened', row, duplicates, layouts, previousGeneration: old?.generation };
}

/** The refusals and `applied`, in the protocol's order; undefined = the request may go on. */
function refusalOf(
  slot: ReferenceSlot,
  { shard, generation, from, to }: AdvanceRequest,
): Refusal | { kind: 'applied' } | undefined {
  const row = slot.rows.get(shard);
  if (!row || row.generation < generation) return { kind: 'stale', row };
  if (row.generation > generation) return { kind: 'fenced', generation: row.generation };
  if (row.position === to.position && row.token === to.token) return { kind: 'applied' };
  if (row.position !== from.position || row.token !== from.token) return { kind: 'stale', row };
  return undefined;
}

function commit(slot: ReferenceSlot, request: CommitRequest): CommitAnswer {
  const refusal = refusalOf(slot, request);
  if (refusal?.kind === 'applied') return { kind: 'applied', duplicates: notedBetween(slot, request) };
  if (refusal) return refusal;
  const layouts = request.layouts.map(({ period }) => layoutOf(slot, period));
  if (layouts.some(({ buckets }, i) => buckets !== request.layouts[i]?.buckets)) return { kind: 'layout', layouts };

  const positions = positionsOf(request.first.positions);
  const fresh = judge(slot, request);
  const further = positionsOf(request.further);
  const duplicates = ascending([...positions.filter((_, i) => !fresh[i]), ...further]);
  count(slot, request, fresh, duplicates.length);
  remember(slot, request, fresh);
  moveRow(slot, request);
  if (duplicates.length > 0) {
    slot.noted.set(request.shard, [
      ...(slot.noted.get(request.shard) ?? []),
      { to: request.to.position, positions: duplicates },
    ]);
  }
  return { kind: 'ok', duplicates };
}

function advance(slot: ReferenceSlot, request: AdvanceRequest): AdvanceAnswer {
  const refusal = refusalOf(slot, request);
  if (refusal) return refusal;
  moveRow(slot, request);
  return { kind: 'ok' };
}

function judge(slot: ReferenceSlot, { first, layouts }: CommitRequest): boolean[] {
  const lookedUp = layouts.map(({ period }) => keptPeriod(slot, period)?.ids);
  return [...first.ids].map((id) => !lookedUp.some((ids) => ids?.has(id)));
}

function count(slot: ReferenceSlot, request: CommitRequest, fresh: boolean[], duplicates: number): void {
  raise(slot.counters, FRESH, fresh.filter(Boolean).length);
  raise(slot.counters, DUPLICATE, duplicates);
  raise(slot.counters, UNDECODABLE, request.rejected);
  fresh.forEach((isFresh, i) => {
    const names = request.classes[request.first.classes[i]!]!;
    if (isFresh) for (const name of names) raise(slot.counters, name, 1);
  });
  for (const { unique, set, counter, isApproximate, members } of request.uniques) {
    // An estimate without an error: what is estimated begins anew when a unique becomes approximate.
    const key = `${isApproximate ? 'hll' : 'u'}:${unique}:${set}`;
    const known = slot.uniques.get(key) ?? new Set<string>();
    const before = known.size;
    for (let at = 0; at < members.length; at += 8) known.add(String(members.subarray(at, at + 8)));
    slot.uniques.set(key, known);
    if (isApproximate) slot.counters.set(counter, known.size);
    else raise(slot.counters, counter, known.size - before);
  }
}

function remember(slot: ReferenceSlot, { first, layouts, newBuckets }: CommitRequest, fresh: boolean[]): void {
  const own = layouts[0];
  if (!own || own.period < slot.job.low) return;
  const period = slot.periods.get(own.period) ?? { buckets: newBuckets, identities: 0, ids: new Set<number>() };
  slot.periods.set(own.period, period);
  fresh.forEach((isFresh, i) => {
    if (!isFresh) return;
    period.ids.add(first.ids[i]!);
    period.identities += 1;
  });
}

/** The row as the request leaves it; drops what is noted at or below its floor. */
function moveRow(slot: ReferenceSlot, { shard, generation, to, floor, arrivalMs, watermarkMs }: AdvanceRequest): void {
  const highest = maxPosition(slot.rows.get(shard)!.floor, floor);
  slot.rows.set(shard, { generation, ...to, floor: highest, arrivalMs, watermarkMs });
  const kept = (slot.noted.get(shard) ?? []).filter((noted) => noted.to > highest);
  slot.noted.set(shard, kept);
}

function notedBetween(slot: ReferenceSlot, { shard, from, to }: CommitRequest): Position[] {
  const noted = (slot.noted.get(shard) ?? []).filter((one) => one.to > from.position && one.to <= to.position);
  return ascending(noted.flatMap(({ positions }) => positions));
}

/** A forgotten period is empty, whatever is left to be swept. */
function keptPeriod(slot: ReferenceSlot, period: number): Period | undefined {
  return period < slot.job.low ? undefined : slot.periods.get(period);
}

function layoutOf(slot: ReferenceSlot, period: number): CountedLayout {
  const known = keptPeriod(slot, period);
  return { period, buckets: known?.buckets, identities: known?.identities ?? 0 };
}

function positionsOf({ sequenceNumbers, subSequenceNumbers }: PositionColumn): Position[] {
  return sequenceNumbers.map((sequenceNumber, i) => positionOf(sequenceNumber, subSequenceNumbers?.[i] ?? 0));
}

function ascending(positions: readonly Position[]): Position[] {
  return positions.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

function raise(counters: Map<string, number>, name: string, by: number): void {
  if (by !== 0) counters.set(name, (counters.get(name) ?? 0) + by);
}
