/**
 * How long a ledger write must have lasted before anything rests on it, found from the server's own settings. Pure. A
 * server that has each write on disk before it answers confirms each write by its answer, where it has replicas together
 * with theirs (confirmation.ts). Every other one may lose its newest writes: then time settles, and must be longer than
 * what can be lost.
 */
import { StartRefused } from '../../runtime/errors.ts';
import type { ServerFacts } from './server-facts.ts';

export interface Settlement {
  /** confirmed: the answer is enough. time: `settleMs` later, by another answer on the same connection. */
  readonly mode: 'confirmed' | 'time';
  readonly settleMs: number;
  /** For the log, in words. */
  readonly because: string;
  readonly warnings: readonly string[];
}

/** With `appendfsync everysec` Redis may be two seconds late before it holds writers up. */
const EVERYSEC_TAIL_MS = 2_000;

/**
 * @param settleMs SETTLE_MS; 0 = every write must be confirmed.
 * @throws StartRefused when it is 0 and the server says that it confirms nothing.
 */
export function settlementOf(facts: ServerFacts, settleMs: number): Settlement {
  const confirms = confirmation(facts);
  if (settleMs > 0) {
    return { mode: 'time', settleMs, because: durabilityOf(facts), warnings: warningsOf(facts, settleMs) };
  }
  if (confirms === 'no') {
    throw new StartRefused(
      `SETTLE_MS=0 needs a Redis whose answers are final (appendonly yes, appendfsync always, no-appendfsync-on-rewrite no), but this one has ${durabilityOf(facts)}`,
      { appendFsync: facts.appendFsync, replicas: facts.replicas },
    );
  }
  const warnings =
    confirms === 'unknown' ? ['nobody tells whether this redis confirms its writes, as SETTLE_MS=0 needs'] : [];
  const because = durabilityOf(facts) + (facts.replicas ? ', which confirm each write (WAIT)' : '');
  return { mode: 'confirmed', settleMs, because, warnings };
}

function confirmation({ appendFsync, fsyncsDuringRewrite, replicas }: ServerFacts): 'yes' | 'no' | 'unknown' {
  if (appendFsync === undefined || replicas === undefined) return 'unknown';
  return appendFsync === 'always' && fsyncsDuringRewrite ? 'yes' : 'no';
}

function durabilityOf({ appendFsync, replicas }: ServerFacts): string {
  const disk =
    appendFsync === undefined
      ? 'an append-only file that nobody tells of'
      : appendFsync === 'off'
        ? 'no append-only file'
        : `appendfsync ${appendFsync}`;
  return replicas === undefined || replicas === 0 ? disk : `${disk} and ${replicas} replica(s)`;
}

function warningsOf(facts: ServerFacts, settleMs: number): string[] {
  const { appendFsync, replicas = 0, minReplicas = 0, minReplicasMaxLagSeconds = 0 } = facts;
  const warnings: string[] = [];
  if (appendFsync === 'off' && replicas === 0) {
    warnings.push('this redis keeps nothing on disk: a restart loses the ledger (appendonly yes)');
  }
  if (appendFsync === 'no')
    warnings.push('this redis leaves writing to the kernel: it may lose half a minute (appendfsync everysec)');
  if (appendFsync === 'everysec' && settleMs < EVERYSEC_TAIL_MS) {
    warnings.push(
      `SETTLE_MS is ${settleMs}, but appendfsync everysec may lose two seconds: what is lost is healed, but late`,
    );
  }
  if (replicas > 0 && (minReplicas === 0 || minReplicasMaxLagSeconds * 1_000 > settleMs)) {
    warnings.push(
      'a primary that is cut off from its replicas may take writes for long: set min-replicas-to-write 1 and min-replicas-max-lag to at most SETTLE_MS',
    );
  }
  return warnings;
}
