/** The ledger job's side of the ledger in Redis: encodes, calls, reads. What the scripts decide is said in the .lua files. */
import { forgetLimitMs } from '../buckets.ts';
import { type JobStale, type LedgerJob, type LedgerSpec, SWEEP_KEYS } from '../ledger.ts';
import type { ScriptCall } from './commit-encoding.ts';
import type { LedgerConnection } from './connection.ts';
import { slotKeys } from './keys.ts';
import { layoutsOf } from './layout-fields.ts';
import { callScript, dropRowsScript, forgetScript, openJobScript, type Script, sweepScript } from './scripts.ts';

export function createRedisLedgerJob(spec: LedgerSpec, connection: LedgerConnection): LedgerJob {
  const run = async (script: Script, call: ScriptCall): Promise<unknown[]> =>
    (await connection.call(call.keys[0]!, (client) => callScript(client, script, call))).answer;
  return {
    async openJob(slot, generation) {
      const { job, layouts } = slotKeys(spec.name, slot);
      const [kind, first, fields] = await run(openJobScript, { keys: [job, layouts], args: [String(generation)] });
      if (kind === 'fenced') return { kind, generation: Number(first) };
      return { kind: 'opened', low: Number(first), layouts: layoutsOf(fields as string[]) };
    },
    async forget(slot, generation, period, unfinished) {
      const { job, rows } = slotKeys(spec.name, slot);
      const args = [String(generation), String(period), String(forgetLimitMs(period, spec)), ...unfinished];
      const [kind, shard] = await run(forgetScript, { keys: [job, rows], args });
      return kind === 'held' ? { kind, shard: String(shard) } : okOrStale(kind);
    },
    async sweep(slot, generation, { period, buckets }, from) {
      const keys = slotKeys(spec.name, slot);
      const end = Math.min(buckets, from + SWEEP_KEYS);
      const prefix = keys.bucketPrefix(period);
      const swept = Array.from({ length: Math.max(0, end - from) }, (_, i) => prefix + (from + i));
      const args = [String(generation), String(period), end === buckets ? '1' : '0'];
      const [kind] = await run(sweepScript, { keys: [keys.job, keys.layouts, ...swept], args });
      return okOrStale(kind);
    },
    async dropRows(slot, generation, shards) {
      const keys = slotKeys(spec.name, slot);
      const [kind] = await run(dropRowsScript, {
        keys: [keys.job, keys.rows, ...shards.map((shard) => keys.duplicates(shard))],
        args: [String(generation), ...shards],
      });
      return okOrStale(kind);
    },
  };
}

function okOrStale(kind: unknown): { readonly kind: 'ok' } | JobStale {
  return { kind: kind === 'ok' ? 'ok' : 'stale' };
}
