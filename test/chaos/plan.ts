/**
 * From a seed to a list of faults in time. Pure: the same seed and options give the same plan, so a run that found
 * something can be repeated. It keeps book of who is down or frozen and of how many workers and shards there are by
 * plan; faults of different processes and servers may overlap, and do.
 */
import { type SeededRandom, seededRandom } from '../support/seeded-random.ts';
import { type Card, DECK, drawClockOffsetMs, type Situation } from './deck.ts';
import { durationMs, type Fault, type PlannedFault, type SlotName } from './fault.ts';

export interface PlanOptions {
  readonly seed: number;
  /** All faults are over by then. */
  readonly durationMs: number;
  readonly leaseMs: number;
  readonly leaderLeaseMs: number;
  /** At the start; at most two more by scaling. */
  readonly workers: number;
  readonly controllers: number;
  /** Open shards at the start; from half to double as many later. */
  readonly shards: number;
  /** Between two faults, at least and at most. */
  readonly gapMs: readonly [number, number];
  /** The cards to play; default: the whole deck. */
  readonly cards?: readonly Card[];
}

export interface Plan {
  /** Every place for a process, with the clock that its first process starts with. */
  readonly slots: readonly { readonly name: SlotName; readonly clockOffsetMs: number }[];
  readonly faults: readonly PlannedFault[];
}

/** Workers beyond those of the start, for scaling. */
const MORE_WORKERS = 2;
/** What a process needs to be itself again, before the next one stops it. */
const RECOVERY_MS = 1_500;

export function makePlan(options: PlanOptions): Plan {
  const random = seededRandom(options.seed);
  const book = new Book(options, random);
  const faults: PlannedFault[] = [];
  const cards = options.cards ?? DECK;
  let hand = shuffled(cards, random);
  for (let atMs = options.gapMs[0]; atMs < options.durationMs; atMs += gap(options.gapMs, random)) {
    const planned = playOne(hand, book, atMs, options.durationMs);
    if (planned) faults.push(planned);
    // What nobody can play now (a split of too many shards) stays in the hand beside the next deck.
    else hand = [...hand, ...shuffled(cards, random)].slice(0, 2 * cards.length);
  }
  const names = [
    ...slotNames('worker', options.workers + MORE_WORKERS),
    ...slotNames('controller', options.controllers),
  ];
  return { slots: names.map((name) => ({ name, clockOffsetMs: drawClockOffsetMs(random) })), faults };
}

export function slotNames(kind: 'worker' | 'controller', count: number): SlotName[] {
  return Array.from({ length: count }, (_, i) => `${kind}-${i + 1}`);
}

/** Plays the first card of the hand that can be played now and is over in time; it leaves the hand. */
function playOne(hand: Card[], book: Book, atMs: number, endMs: number): PlannedFault | undefined {
  for (const [i, card] of hand.entries()) {
    const fault = card.draw(book.situationAt(atMs));
    if (!fault || !book.isFree(fault, atMs) || atMs + durationMs(fault) > endMs) continue;
    hand.splice(i, 1);
    book.enter(fault, atMs);
    return { atMs, card: card.name, fault };
  }
  return undefined;
}

/** Who is down, frozen or in trouble until when, and how many there are. */
class Book {
  readonly #options: PlanOptions;
  readonly #random: SeededRandom;
  readonly #busyUntilMs = new Map<string, number>();
  #workers: number;
  #shards: number;

  constructor(options: PlanOptions, random: SeededRandom) {
    this.#options = options;
    this.#random = random;
    this.#workers = options.workers;
    this.#shards = options.shards;
  }

  situationAt(atMs: number): Situation {
    const { leaseMs, leaderLeaseMs, workers, shards } = this.#options;
    return {
      ...{ random: this.#random, leaseMs, leaderLeaseMs, workers: this.#workers, maxWorkers: workers + MORE_WORKERS },
      ...{ openShards: this.#shards, minShards: Math.max(2, Math.ceil(shards / 2)), maxShards: shards * 2 },
      pick: (kind, mortal) => this.#pick(kind, mortal, atMs),
      canScaleTo: (count) =>
        slotNames('worker', this.#workers)
          .slice(count)
          .every((name) => this.#isIdle(name, atMs)),
    };
  }

  /** Whatever it would strike is not struck in the same way already. */
  isFree(fault: Fault, atMs: number): boolean {
    return keysOf(fault).every((key) => this.#isIdle(key, atMs));
  }

  enter(fault: Fault, atMs: number): void {
    for (const key of keysOf(fault)) this.#busyUntilMs.set(key, atMs + durationMs(fault) + RECOVERY_MS);
    if (fault.kind === 'scale') this.#workers = fault.workers;
    if (fault.kind === 'resize') this.#shards = fault.shards;
    if (fault.kind === 'split') this.#shards += 1;
    if (fault.kind === 'merge') this.#shards -= 1;
  }

  #pick(kind: 'worker' | 'controller' | 'any', mortal: boolean, atMs: number): SlotName | undefined {
    const names = [
      ...(kind === 'controller' ? [] : slotNames('worker', this.#workers)),
      ...(kind === 'worker' ? [] : slotNames('controller', this.#options.controllers)),
    ].filter((name) => !(mortal && name.endsWith('-1')) && this.#isIdle(name, atMs));
    return names.length === 0 ? undefined : this.#random.pick(names);
  }

  #isIdle(key: string, atMs: number): boolean {
    return atMs >= (this.#busyUntilMs.get(key) ?? 0);
  }
}

/** What a fault keeps to itself: a process, a network path, a server, the stream's shards, a rule. */
function keysOf(fault: Fault): string[] {
  switch (fault.kind) {
    case 'kill':
    case 'terminate':
    case 'freeze':
      return [fault.slot];
    case 'scale':
      return ['scale'];
    case 'split':
    case 'merge':
    case 'resize':
    case 'expireIterators':
      return ['stream'];
    case 'network':
      return fault.servers.map((server) => `${fault.slot} ${server}`);
    case 'kinesisRule':
      return [`rule ${String(fault.rule.operation)}`];
    case 'freezeServer':
      return [fault.server];
    case 'restartRedis':
      return ['redis'];
  }
}

function shuffled<T>(values: readonly T[], random: SeededRandom): T[] {
  const left = [...values];
  return values.map(() => left.splice(random.int(left.length), 1)[0]!);
}

function gap([from, to]: readonly [number, number], random: SeededRandom): number {
  return Math.round(from + random.next() * (to - from));
}
