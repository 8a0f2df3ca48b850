/** What a run must have seen now and then, or its promises would say nothing about it. */
export type RareEvent =
  /** Redis lost a tail longer than settling allows for, or a whole slot. */
  | 'lostWhatWasSettled'
  /** An owner or a healer began to heal. */
  | 'healing'
  /** A finished shard was given to a healer. */
  | 'healLease'
  /** An operator mended a row of a slot that was gone. */
  | 'rewound'
  /** The identities of a period, in one slot. */
  | 'forgotten';

export type RareEvents = Readonly<Record<RareEvent, number>>;

export class RareEventCounts {
  readonly counts: Record<RareEvent, number> = {
    lostWhatWasSettled: 0,
    healing: 0,
    healLease: 0,
    rewound: 0,
    forgotten: 0,
  };

  saw(event: RareEvent): void {
    this.counts[event] += 1;
  }
}
