/**
 * The ledger job's side of the reference: what job-open.lua, forget.lua, sweep.lua and drop-rows.lua must do. Works on
 * the same slots as reference.ts.
 */
import { END } from '../lease/position.ts';
import { forgetLimitMs } from './buckets.ts';
import { type LedgerJob, type LedgerSpec, SWEEP_KEYS } from './ledger.ts';
import type { ReferenceSlot, ReferenceState } from './reference.ts';

type JobSpec = Pick<LedgerSpec, 'periodMs' | 'horizonMs'>;

export function createReferenceLedgerJob(spec: JobSpec, state: ReferenceState): LedgerJob {
  const slotOf = (slot: number): ReferenceSlot => state.slots[slot]!;
  return {
    openJob: async (slot, generation) => {
      const { job, periods } = slotOf(slot);
      if (job.generation > generation) return { kind: 'fenced', generation: job.generation };
      job.generation = generation;
      const layouts = [...periods].map(([period, { buckets, identities }]) => ({ period, buckets, identities }));
      return { kind: 'opened', low: job.low, layouts: layouts.sort((a, b) => a.period - b.period) };
    },
    forget: async (slot, generation, period, unfinished) =>
      forget(slotOf(slot), generation, period, forgetLimitMs(period, spec), unfinished),
    sweep: async (slot, generation, { period, buckets }, from) => {
      const { job, periods } = slotOf(slot);
      if (job.generation !== generation || job.low <= period) return { kind: 'stale' };
      if (from + SWEEP_KEYS >= buckets) periods.delete(period);
      return { kind: 'ok' };
    },
    dropRows: async (slot, generation, shards) => {
      const { job, rows, noted } = slotOf(slot);
      if (job.generation !== generation) return { kind: 'stale' };
      for (const shard of shards) {
        rows.delete(shard);
        noted.delete(shard);
      }
      return { kind: 'ok' };
    },
  };
}

function forget(
  { job, rows }: ReferenceSlot,
  generation: number,
  period: number,
  limitMs: number,
  unfinished: readonly string[],
): Awaited<ReturnType<LedgerJob['forget']>> {
  if (job.generation !== generation) return { kind: 'stale' };
  // A listed shard that has ended meanwhile holds too: it may have a child that nobody has seen yet.
  const holder = unfinished.find((shard) => (rows.get(shard)?.arrivalMs ?? 0) <= limitMs);
  if (holder !== undefined) return { kind: 'held', shard: holder };
  for (const [shard, { position, arrivalMs }] of rows) {
    if (position !== END && arrivalMs <= limitMs) return { kind: 'held', shard };
  }
  job.low = Math.max(job.low, period + 1);
  return { kind: 'ok' };
}
