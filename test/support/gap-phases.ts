/**
 * Where the time of a change of owner goes: joins a gap in the ledger's rows with what the controller and the two
 * workers logged about it. Pure. All times are wall-clock milliseconds; on a cluster of several nodes the phases that
 * span two processes hold the difference of two nodes' clocks.
 */
import type { LogLine } from './gap-logs.ts';
import type { Gap } from './gap-sampler.ts';

/** Milliseconds by phase; a phase that the logs do not tell is left out. */
export type Phases = ReadonlyMap<string, number>;

export interface Change {
  readonly kind: 'handoff' | 'failover';
  /** Why the controller moved it: balance, leaving, dead, ... */
  readonly reason: string;
  readonly gap: Gap;
  readonly gapMs: number;
  readonly phases: Phases;
}

interface Moments {
  readonly [name: string]: number | undefined;
}

/**
 * @param lines of all processes
 * @returns undefined when no move of the controller explains the gap: the fleet's first assignment, say
 */
export function explain(gap: Gap, lines: readonly LogLine[]): Change | undefined {
  const isBefore = ({ time }: LogLine): boolean => time <= gap.firstMs;
  const about = (message: string, generation: number): LogLine | undefined =>
    lines
      .filter((line) => line.message === message && line.leaseKey === gap.leaseKey && isBefore(line))
      .findLast((line) => line.generation === generation);
  const moved = about('lease moved', gap.fromGeneration);
  if (!moved) return undefined;
  const back = about('shard given back', gap.fromGeneration);
  // Written right after the first commit, maybe after the sample that saw it.
  const taken = lines.find(
    ({ message, leaseKey, generation }) =>
      message === 'shard taken up' && leaseKey === gap.leaseKey && generation === gap.toGeneration,
  );
  const isForced = about('handoff forced', gap.fromGeneration) !== undefined;
  const kind = moved.verb === 'take' || isForced ? 'failover' : 'handoff';
  const after = kind === 'failover' ? failoverMoments(gap, moved, lines) : handoffMoments(back);
  const moments = { last: gap.lastMs, ...after, ...takenMoments(taken), first: gap.firstMs };
  const order = kind === 'failover' ? FAILOVER : HANDOFF;
  const phases = between(order, { ...moments, moved: moved.time });
  return { kind, reason: String(moved.reason), gap, gapMs: gap.firstMs - gap.lastMs, phases };
}

type Order = readonly (readonly [phase: string, from: string, to: string])[];

const TAKEN: Order = [
  ['  open all slots', 'claimed', 'opened'],
  ['  iterator', 'claimed', 'iterator'],
  ['  first read', 'iterator', 'answered'],
  ['  hand out', 'ready', 'handedOut'],
  ['  decode and commit', 'handedOut', 'counted'],
];

const HANDOFF: Order = [
  ['(before the gap: row written to drain asked)', 'moved', 'asked'],
  ['old owner: last commit to loop ended', 'last', 'finished'],
  ['old owner: checkpoint', 'finished', 'checkpointed'],
  ['old owner: release', 'checkpointed', 'released'],
  ['wake-up and row read', 'released', 'claimed'],
  ...TAKEN,
  ['new owner: claim to first commit', 'claimed', 'first'],
];

const FAILOVER: Order = [
  ['last commit to absence seen', 'last', 'absent'],
  ['absence to verdict', 'absent', 'dead'],
  ['verdict to row written', 'dead', 'moved'],
  ['row written to row read', 'moved', 'claimed'],
  ...TAKEN,
  ['new owner: claim to first commit', 'claimed', 'first'],
];

function handoffMoments(back: LogLine | undefined): Moments {
  if (!back) return {};
  const released = back.time;
  const checkpointed = released - Number(back.releaseMs);
  const finished = checkpointed - Number(back.checkpointMs);
  return { released, checkpointed, finished, asked: finished - Number(back.finishMs) };
}

function failoverMoments(gap: Gap, moved: LogLine, lines: readonly LogLine[]): Moments {
  const at = (message: string): number | undefined =>
    lines.filter((line) => line.message === message && line.worker === moved.from && line.time <= gap.firstMs).at(-1)
      ?.time;
  return { absent: at('worker is not present'), dead: at('worker is taken for dead') };
}

function takenMoments(taken: LogLine | undefined): Moments {
  if (!taken) return {};
  const claimed = taken.time - Number(taken.countedMs);
  const at = (name: string): number => claimed + Number(taken[name]);
  const [opened, answered] = [at('openedMs'), at('answeredMs')];
  return {
    ...{ claimed, opened, answered, iterator: at('iteratorMs'), ready: Math.max(opened, answered) },
    ...{ handedOut: at('handedOutMs'), counted: at('countedMs') },
  };
}

function between(order: Order, moments: Moments): Phases {
  const phases = new Map<string, number>();
  for (const [phase, from, to] of order) {
    const [began, ended] = [moments[from], moments[to]];
    if (began !== undefined && ended !== undefined) phases.set(phase, ended - began);
  }
  return phases;
}
