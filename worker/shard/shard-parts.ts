/**
 * What a shard consumer is given: the ports and the numbers, once per worker, and the lease it is for. The consumer
 * and the duties of its states (opening, draining, ending) read them; none changes them.
 */
import { healedKeyOf } from '../../lease/heal-lease.ts';
import type { Lease, LeaseKey } from '../../lease/lease.ts';
import type { LeaseReads, OwnedLease, OwnerLeaseWrites } from '../../lease/lease-store.ts';
import type { Ledger, LedgerSpec } from '../../ledger/ledger.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { WorkerSignals } from '../../signal/signals.ts';
import type { CheckpointBook } from '../checkpoint/checkpoint-book.ts';
import type { Advancer } from '../ledger/advancer.ts';
import type { Waiting } from '../ledger/waiting.ts';
import type { DecodedBatch } from '../pipeline/decoded-batch.ts';
import type { IdentifiedBatch } from '../pipeline/identified-batch.ts';
import type { UserRecords } from '../pipeline/user-records.ts';
import type { DeadLetterSink } from '../sink/dead-letter-sink.ts';
import type { StreamingSink } from '../sink/streaming-sink.ts';
import type { OpenSource } from '../source/shard-source.ts';
import type { FlowCounts } from './flow-counts.ts';

export type LeaseAccess = OwnerLeaseWrites & Pick<LeaseReads, 'read'>;

/** The pure stages that depend on the pipeline. */
export interface RecordStages {
  readonly decode: (records: UserRecords) => DecodedBatch;
  readonly identify: (decoded: DecodedBatch) => IdentifiedBatch;
}

export interface WorkerParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly leases: LeaseAccess;
  readonly ledger: Ledger;
  readonly spec: LedgerSpec;
  readonly settleMs: number;
  readonly checkpointMs: number;
  readonly advancer: Advancer;
  readonly stages: RecordStages;
  /** Are user records of aggregates left out that another shard's hash range has? Absent = no. */
  readonly ownRangeOnly?: boolean;
  readonly openSource: OpenSource;
  /** Made per consumer, so that its waiting shows as the shard's. */
  readonly deadLettersFor: (waiting: Waiting) => DeadLetterSink;
  /** Take what is judged fresh as it comes. Absent = none. */
  readonly streamingSinks?: readonly StreamingSink[];
  readonly signals: Pick<WorkerSignals, 'toWorker' | 'toController'>;
  readonly book: CheckpointBook;
  readonly counts: FlowCounts;
}

/** A shard that this worker has the right to, in the generation of the lease row as it was read. */
export interface ShardClaim {
  readonly key: LeaseKey;
  /** Lease key of the shard that is read: another one when this is a heal lease. */
  readonly shardKey: LeaseKey;
  readonly shardId: string;
  readonly owned: OwnedLease;
  /** The row as it was read for this claim: good for the first opening. */
  readonly seen: Lease;
}

export function claimOf(lease: Lease, workerId: string): ShardClaim {
  const { key, shardId, generation } = lease;
  return { key, shardKey: healedKeyOf(key), shardId, owned: { key, workerId, generation }, seen: lease };
}

/** Waits of one consumer on the outside. */
export interface ShardWaits {
  readonly redis: Waiting;
  readonly table: Waiting;
  readonly deadLetters: Waiting;
}
