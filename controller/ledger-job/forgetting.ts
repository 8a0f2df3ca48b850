/**
 * Forgetting in one slot: oldest periods first, each only when every unfinished shard is a horizon and more past it. The
 * script decides that, atomically; what is asked here is only whether to ask. Keys go in small steps, because freeing a
 * period at once would hold Redis up.
 */
import type { LeaseKey } from '../../lease/lease.ts';
import { forgetLimitMs } from '../../ledger/buckets.ts';
import {
  type CountedLayout,
  type LedgerJob,
  type LedgerRow,
  type LedgerSpec,
  SWEEP_KEYS,
} from '../../ledger/ledger.ts';
import type { Clock } from '../../runtime/clock.ts';

export interface ForgettingParts {
  readonly job: LedgerJob;
  readonly spec: LedgerSpec;
  readonly clock: Clock;
  /** Lease keys of all shards that are not read to their end, or lost their row here; read after the slot's rows. */
  readonly unfinished: () => Promise<readonly LeaseKey[]>;
}

/** What came of it: periods whose keys are gone now. stale: the slot has to be claimed again. */
export interface Forgotten {
  readonly periods: readonly number[];
  readonly isStale: boolean;
}

/** Between two steps others have their turn. */
const STEP_MS = 5;

export async function forgetPeriods(
  parts: ForgettingParts,
  slot: number,
  generation: number,
  opened: { readonly low: number; readonly layouts: readonly CountedLayout[] },
  rows: ReadonlyMap<string, LedgerRow>,
  signal: AbortSignal,
): Promise<Forgotten> {
  const newestMs = Math.max(0, ...[...rows.values()].map(({ arrivalMs }) => arrivalMs));
  const periods: number[] = [];
  for (const { period, buckets } of opened.layouts) {
    if (buckets === undefined || signal.aborted) continue;
    const isDue = period < opened.low || forgetLimitMs(period, parts.spec) < newestMs;
    const kind = isDue ? await askToForget(parts, slot, generation, period, opened.low) : 'held';
    if (kind === 'held') break;
    if (kind === 'stale' || !(await sweep(parts, slot, generation, { period, buckets }, signal)))
      return { periods, isStale: true };
    periods.push(period);
  }
  return { periods, isStale: false };
}

/** ok at once for a period that was forgotten before: only its keys are left. */
async function askToForget(
  { job, unfinished }: ForgettingParts,
  slot: number,
  generation: number,
  period: number,
  low: number,
): Promise<'ok' | 'held' | 'stale'> {
  if (period < low) return 'ok';
  return (await job.forget(slot, generation, period, await unfinished())).kind;
}

/** False when the slot is not ours any more. What an interrupted sweep leaves, the next one removes. */
async function sweep(
  { job, clock }: ForgettingParts,
  slot: number,
  generation: number,
  layout: { readonly period: number; readonly buckets: number },
  signal: AbortSignal,
): Promise<boolean> {
  for (let from = 0; from < layout.buckets && !signal.aborted; from += SWEEP_KEYS) {
    const { kind } = await job.sweep(slot, generation, layout, from);
    if (kind === 'stale') return false;
    await clock.sleep(STEP_MS, signal);
  }
  return true;
}
