/**
 * A ledger that remembers about as many identities as were expected of the period, so that sets have the size that they
 * will have and lie where no cache holds them all; and beside it one plain set of as many members.
 */
import { planBuckets } from '../ledger/buckets.ts';
import type { CommitRequest, Ledger } from '../ledger/ledger.ts';
import { MemberMemory } from '../worker/ledger/member-memory.ts';
import { commitAll, type LedgerServer, PERIOD_MS } from './ledger-server.ts';
import { loginCommits, type Times } from './login-commits.ts';

const BATCH = 1_000;
export const PLAIN_SET = 'plain';
const FIRST_MEMBER = 10 ** 15;
/** Filled to the one before measurements begin, and anew when it is beyond the other. */
const LEAST = 0.9;
const MOST = 1.1;
/** So many records bring nearly all players; from then on some are new. */
const WARM_UP = 60_000;
const NEW_PLAYERS = 0.1;

export interface Run {
  readonly records: number;
  readonly times: Times;
  readonly duplicateShare: number;
  readonly withUniques: boolean;
}

export class FilledLedger {
  readonly server: LedgerServer;
  readonly #expected: number;
  readonly #say: (text: string) => void;
  #ledger!: Ledger;
  #memory = new MemberMemory();
  #identities = Number.POSITIVE_INFINITY;
  /** Records of all runs since it was filled. */
  #records = 0;

  constructor(server: LedgerServer, expected: number, say: (text: string) => void) {
    this.server = server;
    this.#expected = expected;
    this.#say = say;
  }

  get ledger(): Ledger {
    return this.#ledger;
  }

  /** Commits of a shard of its own; those that come in order go on where the last run's ended. */
  async commits(run: Run): Promise<CommitRequest[]> {
    if (this.#identities + run.records > MOST * this.#expected) await this.#fill();
    return [...this.#next(run)];
  }

  #next({ records, times, duplicateShare, withUniques }: Run): Iterable<CommitRequest> {
    const from = this.#records + BATCH;
    this.#identities += records;
    this.#records += records;
    return loginCommits({
      ...{ identities: records, from, shard: `account:stream:1:from-${from}`, times, duplicateShare },
      ...{ withUniques, newPlayers: NEW_PLAYERS, memory: withUniques ? this.#memory : undefined },
      ...this.#period(),
    });
  }

  async #fill(): Promise<void> {
    const startedMs = performance.now();
    const { client } = this.server.connection;
    this.#ledger = await this.server.empty(this.#expected);
    // A copy that is written meanwhile makes Redis copy each page that it touches.
    await client.config('SET', 'auto-aof-rewrite-percentage', 0);
    const identities = LEAST * this.#expected;
    const commits = loginCommits({
      ...{ identities, times: 'random', withUniques: false, memory: undefined },
      ...this.#period(),
    });
    await commitAll(
      this.#ledger,
      plainToo(commits, (members) => client.sadd(PLAIN_SET, ...members)),
    );
    this.#identities = identities;
    this.#records = 0;
    this.#memory = new MemberMemory();
    const run: Run = { records: WARM_UP, times: 'random', duplicateShare: 0, withUniques: true };
    await commitAll(this.#ledger, this.#next(run));
    const seconds = (performance.now() - startedMs) / 1_000;
    this.#say(`  (filled with ${identities.toLocaleString('en-US')} identities in ${seconds.toFixed(0)} s)`);
  }

  #period() {
    const buckets = planBuckets(this.#expected);
    return { batch: BATCH, perPeriod: this.#expected, period: 0, periodMs: PERIOD_MS, neighbours: [], buckets };
  }
}

/** A commit's ids as members of a plain set. */
export function membersOf({ first }: CommitRequest): string[] {
  return Array.from(first.ids, (id) => String(FIRST_MEMBER + id));
}

function* plainToo(commits: Iterable<CommitRequest>, add: (members: string[]) => unknown): Iterable<CommitRequest> {
  for (const commit of commits) {
    add(membersOf(commit));
    yield commit;
  }
}
