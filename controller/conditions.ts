/**
 * What is wrong right now, in words: shown by /readyz, counted by a gauge, logged once when it begins and once when
 * it ends. A condition is a state, not an event: reporting the same one again says nothing new.
 */
import type { LogFields, Logger } from '../runtime/logger.ts';

export const CONDITIONS = [
  /** Kinesis says that there is no such stream: waiting for it. */
  'StreamMissing',
  /** Kinesis does not answer, or refuses to. */
  'StreamUnreachable',
  /** The fleet table belongs to an earlier stream of this name: nothing is done until a person decides. */
  'StreamRecreated',
  /** The fleet table belongs to another stream. */
  'StreamDiffers',
  /** The fleet table was made by another version of this program. */
  'SchemaDiffers',
  /** A part of the hash range has no unfinished lease, and nothing that is listed could be added for it. */
  'HashRangeHole',
  /** Lease rows that a person or another program broke: their shards wait until somebody mends them. */
  'LeaseRowBroken',
  /** DynamoDB does not answer, or refuses to. */
  'TableUnreachable',
  /** The ledger's totals cannot be read. */
  'LedgerUnreachable',
  /** Redis lost more than settling allows for: some shards' counts are too low until they are read again. */
  'LedgerBehind',
  /** Redis lost a slot of the ledger wholly: `kinesis-fleet ledger` says what can be done. */
  'LedgerSlotLost',
  /** Kubernetes does not answer, or refuses to: only heartbeats and presence tell who lives. */
  'KubernetesUnreachable',
] as const;
export type Condition = (typeof CONDITIONS)[number];

/** While one of these holds, the controller changes nothing in the table. */
const HALTING: readonly Condition[] = ['StreamRecreated', 'StreamDiffers', 'SchemaDiffers'];

export class Conditions {
  readonly #logger: Logger;
  readonly #active = new Map<Condition, LogFields>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  raise(condition: Condition, fields: LogFields): void {
    if (!this.#active.has(condition)) this.#logger.warn('condition began', { condition, ...fields });
    this.#active.set(condition, fields);
  }

  clear(condition: Condition): void {
    if (this.#active.delete(condition)) this.#logger.info('condition ended', { condition });
  }

  /** At the end of a term of leadership: whoever does not look cannot know. */
  forget(): void {
    this.#active.clear();
  }

  isActive(condition: Condition): boolean {
    return this.#active.has(condition);
  }

  haltsChanges(): boolean {
    return HALTING.some((condition) => this.#active.has(condition));
  }

  /** For the body of /readyz. */
  shown(): Readonly<Record<string, LogFields>> {
    return Object.fromEntries(this.#active);
  }
}
