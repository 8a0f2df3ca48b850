/** Bugs of the ledger and of how a worker uses it. */
import type { AdvanceRequest, CommitAnswer, CommitRequest, OnConnection, RowMark } from '../../ledger/ledger.ts';
import { Advancer } from '../../worker/ledger/advancer.ts';
import { Waiting } from '../../worker/ledger/waiting.ts';
import type { Mutation } from './mutation.ts';
import type { SlotWrite } from './slot-history.ts';

/** The requests of a write, each changed. */
export function eachRequest(
  write: SlotWrite,
  change: <R extends AdvanceRequest | CommitRequest>(request: R) => R,
): SlotWrite {
  if (write.kind === 'commit') return { ...write, request: change(write.request) };
  if (write.kind === 'advance') return { ...write, requests: write.requests.map(change) };
  return write;
}

/** to = from stays one object: it means "only look". */
export function withMarks<R extends AdvanceRequest | CommitRequest>(request: R, from: RowMark, to: RowMark): R {
  const markOf = ({ position, token }: RowMark): RowMark => ({ position, token });
  const built = markOf(from);
  return { ...request, from: built, to: request.to === request.from ? built : markOf(to) };
}

/** Whatever the row is, a move is taken to build on it. */
const noChainCheck: Mutation = {
  what: 'a commit is applied whatever row it builds on',
  ledger: {
    ask: (write, { slot }) =>
      eachRequest(write, (request) => {
        const row = slot.rows.get(request.shard);
        return row ? withMarks(request, row, request.to) : request;
      }),
  },
};

const noToken: Mutation = {
  what: 'rows are told apart by their position alone, not by a token',
  ledger: {
    ask: (write, { slot }) =>
      eachRequest(write, (request) => {
        const row = slot.rows.get(request.shard);
        const ofRow = (mark: RowMark): RowMark => (row?.position === mark.position ? row : mark);
        return withMarks(request, ofRow(request.from), ofRow(request.to));
      }),
  },
};

const checkpointBeforeSettled: Mutation = {
  what: 'a checkpoint does not wait until what it rests on is settled',
  parts: (parts) => ({ ...parts, settleMs: 0 }),
};

class NeverAdvancing extends Advancer {
  override run(): Promise<void> {
    return Promise.resolve();
  }
}

const noAdvance: Mutation = {
  what: 'a worker never advances rows that records do not touch',
  parts: (parts) => ({
    ...parts,
    advancer: new NeverAdvancing({ ...parts, waiting: new Waiting(parts.clock) }),
  }),
};

/** Every answer says that it came on the first connection. */
const ageSurvivesReconnect: Mutation = {
  what: 'the age of a write goes on growing after a reconnect',
  ledgerPort: (ledger) => ({
    open: async (request) => ({ ...(await ledger.open(request)), connection: 1 }),
    commit: async (request) => ({ ...(await ledger.commit(request)), connection: 1 }),
    advance: async (slot, requests) => ({ ...(await ledger.advance(slot, requests)), connection: 1 }),
  }),
  parts: (parts) => ({
    ...parts,
    deadLettersFor: (waiting) => {
      const sink = parts.deadLettersFor(waiting);
      return {
        store: async (...args) => {
          const receipt = await sink.store(...args);
          return { ...receipt, stored: receipt.stored && { ...receipt.stored, connection: 1 } };
        },
      };
    },
  }),
};

const retryWithNewBytes: Mutation = {
  what: 'a commit that was not answered is sent again with another token',
  ledgerPort: (ledger) => {
    const attempts = new WeakMap<CommitRequest, number>();
    const commit = async (request: CommitRequest): Promise<CommitAnswer & OnConnection> => {
      const attempt = (attempts.get(request) ?? 0) + 1;
      attempts.set(request, attempt);
      if (attempt === 1) return ledger.commit(request);
      const token = `${String(attempt).padStart(2, '0')}${request.to.token.slice(2)}`;
      return ledger.commit({ ...request, to: { ...request.to, token } });
    };
    return { ...ledger, commit };
  },
};

const noDupList: Mutation = {
  what: 'a slot does not remember which positions were judged duplicate',
  ledger: {
    answer: (write, answer) => (write.kind === 'open' ? { ...answer, duplicates: [] } : answer),
  },
};

export const LEDGER_MUTATIONS: Readonly<Record<string, Mutation>> = {
  'no-chain-check': noChainCheck,
  'no-token': noToken,
  'checkpoint-before-settled': checkpointBeforeSettled,
  'no-advance': noAdvance,
  'age-survives-reconnect': ageSurvivesReconnect,
  'retry-with-new-bytes': retryWithNewBytes,
  'no-dup-list': noDupList,
};
