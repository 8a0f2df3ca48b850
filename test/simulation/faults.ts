/**
 * How unkind the world is: chances and delays for every call, drawn per seed so that some worlds are calm, some have one
 * trouble, and some have all of them. The scheduler asks it at every call through a port.
 */
import type { SeededRandom } from '../support/seeded-random.ts';

/** Chances are per call. */
export interface Unkindness {
  /** The request never arrives. */
  readonly loseRequest: number;
  /** It is applied, and nobody hears of it. */
  readonly loseAnswer: number;
  /** It is applied once more, later: a client that sent it again by itself, a network that kept it. */
  readonly duplicate: number;
  /** It takes so long that the caller has given up. */
  readonly delayRequest: number;
  readonly delayAnswer: number;
  readonly throttle: number;
  /** A call of Redis takes its connection with it. */
  readonly cutConnection: number;
  readonly loseHint: number;
  readonly expireIterator: number;
}

export const KIND: Unkindness = {
  loseRequest: 0,
  loseAnswer: 0,
  duplicate: 0,
  delayRequest: 0,
  delayAnswer: 0,
  throttle: 0,
  cutConnection: 0,
  loseHint: 0,
  expireIterator: 0,
};

const MOST: Unkindness = {
  loseRequest: 0.05,
  loseAnswer: 0.05,
  duplicate: 0.25,
  delayRequest: 0.08,
  delayAnswer: 0.05,
  throttle: 0.1,
  cutConnection: 0.04,
  loseHint: 0.5,
  expireIterator: 0.02,
};

const CHANCE_OF_A_TROUBLE = 0.5;

/** What the network does to one call. */
export interface Fate {
  readonly requestMs: number;
  readonly answerMs: number;
  readonly isRequestLost: boolean;
  readonly isAnswerLost: boolean;
  readonly isThrottled: boolean;
  /** From the first application to the second. */
  readonly duplicateAfterMs: number | undefined;
}

const LONGEST_DELAY_MS = 5_000;

export class Network {
  /** Set to KIND when faults stop. */
  unkindness: Unkindness;
  readonly #random: SeededRandom;

  constructor(random: SeededRandom, unkindness: Unkindness) {
    this.#random = random;
    this.unkindness = unkindness;
  }

  fateOfCall(): Fate {
    const { loseRequest, loseAnswer, duplicate, delayRequest, delayAnswer, throttle } = this.unkindness;
    const random = this.#random;
    return {
      requestMs: this.latencyMs(delayRequest),
      answerMs: this.latencyMs(delayAnswer),
      isRequestLost: random.chance(loseRequest),
      isAnswerLost: random.chance(loseAnswer),
      isThrottled: random.chance(throttle),
      duplicateAfterMs: random.chance(duplicate) ? this.#delayMs() : undefined,
    };
  }

  happens(trouble: keyof Unkindness): boolean {
    return this.#random.chance(this.unkindness[trouble]);
  }

  /** One way through the network. */
  latencyMs(chanceOfDelay = 0): number {
    if (this.#random.chance(chanceOfDelay)) return this.#delayMs();
    return 0.2 + this.#random.next() * 4;
  }

  /** Of all lengths up to the longest, most of them short. */
  #delayMs(): number {
    return LONGEST_DELAY_MS * this.#random.next() ** 2;
  }
}

/** Each trouble is there with one half, and then of any strength. */
export function drawUnkindness(random: SeededRandom): Unkindness {
  const drawn = Object.entries(MOST).map(([trouble, most]) => [
    trouble,
    random.chance(CHANCE_OF_A_TROUBLE) ? most * random.next() : 0,
  ]);
  return Object.fromEntries(drawn) as Unkindness;
}
