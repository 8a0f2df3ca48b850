/**
 * The ledger in Redis: encodes a request, calls its script, reads the answer. What the scripts decide is said in the
 * .lua files, and as plain TypeScript in ledger/reference.ts; here is nothing but form.
 */
import type {
  AdvanceAnswer,
  AdvanceRequest,
  CommitAnswer,
  CommitRequest,
  Ledger,
  LedgerReader,
  LedgerSpec,
  OpenAnswer,
  OpenRequest,
  Refusal,
} from '../ledger.ts';
import { encodeCommit, type ScriptCall } from './commit-encoding.ts';
import type { LedgerConnection } from './connection.ts';
import { slotKeys } from './keys.ts';
import { layoutOf, layoutsOf } from './layout-fields.ts';
import { unpackDuplicates } from './packed-positions.ts';
import { parseRow } from './row-text.ts';
import { advanceScript, callScript, commitScript, openScript, type Script } from './scripts.ts';

type Reply = readonly [kind: string, ...rest: unknown[]];

/** Each call is one round trip, and fails with LedgerUnavailable when the same bytes may go again. */
export function createRedisLedger(spec: LedgerSpec, connection: LedgerConnection): Ledger & LedgerReader {
  const run = (script: Script, call: ScriptCall) =>
    connection.call(call.keys[0]!, (client) => callScript(client, script, call));
  return {
    async open(request) {
      const { answer, connection: number } = await run(openScript, encodeOpen(spec, request));
      return { ...openAnswer(answer as unknown as Reply), connection: number };
    },
    async commit(request) {
      const call = encodeCommit(spec, request);
      const { answer, connection: number } = await run(commitScript, call);
      const answered = commitAnswer(answer as unknown as Reply, request);
      if (answered.kind === 'applied') await connection.confirmPrimary(call.keys[0]!, number);
      return { ...answered, connection: number };
    },
    async advance(slot, requests) {
      const call = encodeAdvance(spec, slot, requests);
      const { answer, connection: number } = await run(advanceScript, call);
      const answers = (answer as Reply[]).map(advanceAnswer);
      if (answers.some(({ kind }) => kind === 'applied')) await connection.confirmPrimary(call.keys[0]!, number);
      return { answers, connection: number };
    },
    async totals() {
      const slots = Array.from({ length: spec.slots }, (_, slot) => slotKeys(spec.name, slot).counters);
      const counters = slots.map((key) => connection.call(key, (client) => client.hgetall(key)));
      return sumBySlot((await Promise.all(counters)).map(({ answer }) => answer));
    },
    async rows(slot) {
      const { rows } = slotKeys(spec.name, slot);
      const { answer } = await connection.call(rows, (client) => client.hgetall(rows));
      return new Map(Object.entries(answer).map(([shard, text]) => [shard, parseRow(text)]));
    },
  };
}

function encodeOpen(spec: LedgerSpec, { shard, slot, generation, start }: OpenRequest): ScriptCall {
  const keys = slotKeys(spec.name, slot);
  return {
    keys: [keys.rows, keys.duplicates(shard), keys.layouts, keys.job],
    args: [shard, String(generation), start ?? ''],
  };
}

function encodeAdvance(spec: LedgerSpec, slot: number, requests: readonly AdvanceRequest[]): ScriptCall {
  const keys = slotKeys(spec.name, slot);
  return {
    keys: [keys.rows, ...requests.map(({ shard }) => keys.duplicates(shard))],
    args: requests.flatMap(({ shard, generation, from, to, floor, arrivalMs, watermarkMs }) => [
      shard,
      String(generation),
      from.position,
      from.token,
      to.position,
      to.token,
      floor,
      String(arrivalMs),
      String(watermarkMs),
    ]),
  };
}

function openAnswer([kind, ...rest]: Reply): OpenAnswer {
  if (kind === 'fenced') return { kind, generation: Number(rest[0]) };
  if (kind === 'missing') return { kind };
  const [text, noted, layouts, low, before] = rest as [string, string[], string[], string, string];
  const row = parseRow(text);
  const duplicates = unpackDuplicates(noted).filter((position) => position > row.floor);
  const kept = layoutsOf(layouts).filter(({ period }) => period >= Number(low));
  const previousGeneration = before === '' ? undefined : Number(before);
  return { kind: 'opened', row, duplicates, layouts: kept, previousGeneration };
}

function commitAnswer(reply: Reply, { layouts }: CommitRequest): CommitAnswer {
  const [kind, ...rest] = reply;
  switch (kind) {
    case 'ok':
    case 'applied':
      return { kind, duplicates: unpackDuplicates(rest as string[]) };
    case 'layout': {
      const [buckets, identities] = rest as [string[], (string | null)[]];
      return { kind, layouts: layouts.map(({ period }, i) => layoutOf(period, buckets[i], identities[i])) };
    }
    default:
      return refusal(reply);
  }
}

function advanceAnswer(reply: Reply): AdvanceAnswer {
  const [kind] = reply;
  return kind === 'ok' || kind === 'applied' ? { kind } : refusal(reply);
}

function refusal([kind, detail]: Reply): Refusal {
  if (kind === 'fenced') return { kind, generation: Number(detail) };
  return { kind: 'stale', row: detail === undefined ? undefined : parseRow(String(detail)) };
}

function sumBySlot(slots: readonly Readonly<Record<string, string>>[]): Map<string, number> {
  const totals = new Map<string, number>();
  for (const counters of slots) {
    for (const [name, value] of Object.entries(counters)) totals.set(name, (totals.get(name) ?? 0) + Number(value));
  }
  return totals;
}
