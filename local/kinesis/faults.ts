/**
 * Injected faults: rules that say which calls go wrong, how, how often. Rules are tried in the order they were added;
 * delays add up, the first rule that ends the call wins. Rates are decided by a seeded generator, so that a run can be
 * repeated. Neighbours: control-endpoint.ts edits the rules, request-handler.ts obeys them.
 */

/** What a rule does to a call; `entries` fails single records of PutRecords, the call itself succeeds. */
export type FaultEffect =
  | { kind: 'error'; name: string; message: string; statusCode?: number }
  | { kind: 'delay'; delayMs: number }
  | { kind: 'hang' }
  | { kind: 'drop' }
  | { kind: 'entries'; name: string; message: string };

export interface FaultRule {
  id: number;
  /** Operation name, or `*`. */
  operation: string;
  effect: FaultEffect;
  /** `after`: the call is carried out and its answer is lost. */
  phase: 'before' | 'after';
  /** Share of the matching calls, 0..1. */
  rate: number;
  /** How often it still fires; undefined = for ever. */
  remaining?: number;
  streamName?: string;
  shardId?: string;
}

/** What a call is aimed at, as far as its arguments tell. */
export interface CallTarget {
  operation: string;
  streamName: string | undefined;
  shardId: string | undefined;
}

interface Expiry {
  serial: number;
  streamName: string | undefined;
  shardId: string | undefined;
}

export class Faults {
  readonly #random: () => number;
  #rules: FaultRule[] = [];
  #expiries: Expiry[] = [];
  #nextId = 1;
  #serial = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  get rules(): readonly FaultRule[] {
    return this.#rules;
  }

  add(rule: Omit<FaultRule, 'id'>): FaultRule {
    const added = { ...rule, id: this.#nextId++ };
    this.#rules.push(added);
    return added;
  }

  /** Removes one rule, or all of them; returns how many went. */
  remove(id?: number): number {
    const before = this.#rules.length;
    this.#rules = id === undefined ? [] : this.#rules.filter((rule) => rule.id !== id);
    return before - this.#rules.length;
  }

  /** The effects that fire for this call: any number of delays, then at most one that ends it. */
  effectsFor(call: CallTarget, phase: FaultRule['phase']): FaultEffect[] {
    const fired: FaultEffect[] = [];
    for (const rule of this.#rules) {
      const isCandidate = rule.phase === phase && rule.effect.kind !== 'entries' && isAimedAt(rule, call);
      if (!isCandidate || !this.#fires(rule)) continue;
      fired.push(rule.effect);
      if (rule.effect.kind !== 'delay') break;
    }
    return fired;
  }

  get hasEntryFaults(): boolean {
    return this.#rules.some((rule) => rule.effect.kind === 'entries');
  }

  /** The error of one PutRecords entry on its way to `shardId`, or undefined. */
  entryFault(streamName: string, shardId: string): { name: string; message: string } | undefined {
    const call = { operation: 'PutRecords', streamName, shardId };
    for (const rule of this.#rules) {
      if (rule.effect.kind === 'entries' && isAimedAt(rule, call) && this.#fires(rule)) return rule.effect;
    }
    return undefined;
  }

  /** Expires every iterator handed out so far, of all streams or of one stream or shard. */
  expireIterators(streamName?: string, shardId?: string): void {
    this.#expiries.push({ serial: this.#serial, streamName, shardId });
  }

  /** The serial of an iterator that is handed out now. */
  nextIteratorSerial(): number {
    this.#serial += 1;
    return this.#serial;
  }

  isIteratorExpired(iterator: { serial: number; streamName: string; shardId: string }): boolean {
    return this.#expiries.some((expiry) => iterator.serial <= expiry.serial && isAimedAt(expiry, iterator));
  }

  #fires(rule: FaultRule): boolean {
    if (rule.remaining === 0) return false;
    if (rule.rate < 1 && this.#random() >= rule.rate) return false;
    if (rule.remaining !== undefined) rule.remaining -= 1;
    return true;
  }
}

function isAimedAt(
  rule: { operation?: string; streamName?: string | undefined; shardId?: string | undefined },
  call: { operation?: string; streamName: string | undefined; shardId: string | undefined },
): boolean {
  return (
    (rule.operation === undefined || rule.operation === '*' || rule.operation === call.operation) &&
    (rule.streamName === undefined || rule.streamName === call.streamName) &&
    (rule.shardId === undefined || rule.shardId === call.shardId)
  );
}

/** Mulberry32: small, fast and good enough for rates. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
