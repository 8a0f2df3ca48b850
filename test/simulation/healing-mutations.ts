/** Bugs of what comes after a loss: healing, and forgetting, which must leave what a heal may still need. */
import { END } from '../../lease/position.ts';
import type { LedgerRow, RowMark } from '../../ledger/ledger.ts';
import type { ReferenceSlot } from '../../ledger/reference.ts';
import { eachRequest, withMarks } from './ledger-mutations.ts';
import type { Mutation } from './mutation.ts';

function lowestRow(slots: readonly ReferenceSlot[], shard: string): LedgerRow | undefined {
  const rows = slots.map((slot) => slot.rows.get(shard)).filter((row) => row !== undefined);
  return rows.toSorted((a, b) => (a.position < b.position ? -1 : 1))[0];
}

/** Where one slot is behind what was checkpointed, all are said to be; tokens tell whose row is meant. */
const healEverySlot: Mutation = {
  what: 'a heal counts into slots that lost nothing, too',
  ledger: {
    answer: (write, answer, slots) => {
      if (write.kind !== 'open') return answer;
      const own = (answer as { readonly row?: LedgerRow }).row;
      const lowest = lowestRow(slots, write.request.shard);
      if (!own || !lowest || lowest.position >= own.floor) return answer;
      return { ...answer, row: { ...own, position: lowest.position } };
    },
    ask: (write, { slot }) =>
      eachRequest(write, (request) => {
        const row = slot.rows.get(request.shard);
        const ofRow = (mark: RowMark): RowMark => (row?.token === mark.token ? row : mark);
        return withMarks(request, ofRow(request.from), request.to);
      }),
  },
};

const finishedNotHealed: Mutation = {
  what: 'the audit takes the rows of finished shards for whole',
  jobLedger: (ledger) => ({
    ...ledger,
    rows: async (slot) => {
      const rows = await ledger.rows(slot);
      return new Map([...rows].map(([key, row]) => [key, { ...row, position: END }]));
    },
  }),
};

const forgetByFastest: Mutation = {
  what: 'a period is forgotten as soon as the fastest shard is past it, whatever the others still have to read',
  ledger: {
    ask: (write) => {
      if (write.kind !== 'job' || write.method !== 'forget') return write;
      const { period = 0 } = write;
      const act = async ({ job }: ReferenceSlot): Promise<object> => {
        job.low = Math.max(job.low, period + 1);
        return { kind: 'ok' };
      };
      return { ...write, act };
    },
  },
};

export const HEALING_MUTATIONS: Readonly<Record<string, Mutation>> = {
  'heal-every-slot': healEverySlot,
  'finished-not-healed': finishedNotHealed,
  'forget-by-fastest': forgetByFastest,
};
