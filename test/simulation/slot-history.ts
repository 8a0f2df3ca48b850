/**
 * One slot as a Redis primary has it, with what a replica may be behind by: a base and the requests applied since. From
 * them the slot can be had as it was a moment ago, which is what a failover brings, and what every check of "settled"
 * looks at. More is kept where longer tails are lost. A slot is the reference ledger's, with the dead letters beside it
 * in slot 0.
 */
import type { AdvanceRequest, CommitRequest, LedgerJob, OpenRequest } from '../../ledger/ledger.ts';
import { createReferenceLedger, type ReferenceSlot } from '../../ledger/reference.ts';

/** A slot and what lies beside it. */
export interface SlotImage {
  readonly slot: ReferenceSlot;
  /** `shard@position` of each dead letter. */
  readonly letters: Set<string>;
}

export type SlotWrite =
  | { readonly kind: 'open'; readonly request: OpenRequest }
  | { readonly kind: 'commit'; readonly request: CommitRequest }
  | { readonly kind: 'advance'; readonly requests: readonly AdvanceRequest[] }
  | { readonly kind: 'letters'; readonly ids: readonly string[] }
  | JobWrite;

/** A step of the ledger job, as the reference takes it on a slot. */
export interface JobWrite {
  readonly kind: 'job';
  readonly method: keyof LedgerJob;
  /** That it forgets or sweeps. */
  readonly period?: number;
  readonly act: (slot: ReferenceSlot) => Promise<object>;
}

export interface HistorySpan {
  /** One image is kept for each stretch of this length. */
  readonly imageEveryMs: number;
  /** The longest tail that may be lost. */
  readonly keepMs: number;
}

interface Base {
  readonly atMs: number;
  readonly image: SlotImage;
  /** Applied after it, oldest first. */
  readonly writes: { readonly atMs: number; readonly write: SlotWrite }[];
}

export class SlotHistory {
  readonly #span: HistorySpan;
  /** Oldest first; the oldest is at least `keepMs` old, or the beginning. */
  #bases: Base[];

  constructor(span: HistorySpan, image: SlotImage) {
    this.#span = span;
    this.#bases = [{ atMs: 0, image: cloneImage(image), writes: [] }];
  }

  /** @param image the slot before this write. */
  note(atMs: number, write: SlotWrite, image: SlotImage): void {
    const { imageEveryMs, keepMs } = this.#span;
    const last = this.#bases.at(-1)!;
    if (atMs - last.atMs >= imageEveryMs) {
      this.#bases.push({ atMs, image: cloneImage(image), writes: [] });
      while (this.#bases.length > 1 && this.#bases[1]!.atMs <= atMs - keepMs) this.#bases.shift();
    }
    this.#bases.at(-1)!.writes.push({ atMs, write });
  }

  /** The slot as it was at that time, which is not longer ago than what is kept. */
  imageAt(atMs: number): SlotImage {
    const base = this.#bases.findLast((one) => one.atMs <= atMs) ?? this.#bases[0]!;
    const image = cloneImage(base.image);
    for (const { atMs: writtenMs, write } of base.writes) if (writtenMs <= atMs) applyWrite(image, write);
    return image;
  }

  /** When the slot was written since then, oldest first. */
  writtenSince(atMs: number): number[] {
    const times = this.#bases.flatMap(({ writes }) => writes.map((one) => one.atMs));
    return times.filter((writtenMs) => writtenMs >= atMs);
  }

  /** What came after that time never was. */
  forgetAfter(atMs: number): void {
    this.#bases = this.#bases.filter((base, i) => i === 0 || base.atMs <= atMs);
    const { writes } = this.#bases.at(-1)!;
    const kept = writes.findIndex(({ atMs: writtenMs }) => writtenMs > atMs);
    if (kept >= 0) writes.length = kept;
  }

  /** Nothing of it ever was. */
  forgetAll(atMs: number, image: SlotImage): void {
    this.#bases = [{ atMs, image: cloneImage(image), writes: [] }];
  }
}

/** As the reference ledger does it. The reference's slot has any number: here it is the only one. */
function applyWrite(image: SlotImage, write: SlotWrite): void {
  const ledger = createReferenceLedger({ slots: 1 }, { connection: 0, slots: [image.slot] });
  switch (write.kind) {
    case 'open':
      void ledger.open({ ...write.request, slot: 0 });
      return;
    case 'commit':
      void ledger.commit({ ...write.request, slot: 0 });
      return;
    case 'advance':
      void ledger.advance(0, write.requests);
      return;
    case 'job':
      void write.act(image.slot);
      return;
    case 'letters':
      for (const id of write.ids) image.letters.add(id);
  }
}

/** Rows and noted duplicates are never changed in place. */
export function cloneImage({ slot, letters }: SlotImage): SlotImage {
  const { rows, noted, periods, counters, uniques, ...rest } = slot;
  const clonedPeriods = [...periods].map(([n, period]) => [n, { ...period, ids: new Set(period.ids) }] as const);
  return {
    slot: {
      ...structuredClone(rest),
      rows: new Map(rows),
      noted: new Map(noted),
      periods: new Map(clonedPeriods),
      counters: new Map(counters),
      uniques: new Map([...uniques].map(([key, members]) => [key, new Set(members)])),
    },
    letters: new Set(letters),
  };
}
