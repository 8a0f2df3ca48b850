/**
 * What a shard consumer is given: the ports and the numbers, once per worker, and the lease it is for. The consumer
 * and the duties of its states (opening, draining, ending) read them; none changes them.
 */

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
  readonly openSource: OpenSource;
  /** Made per consumer, so that its waiting shows as the shard's. */
  readonly deadLettersFor: (waiting: Waiting) => DeadLetterSink;
  readonly signals: Pick<WorkerSignals, 'toWorker' | 'toController'>;
  readonly book: CheckpointBook;
  readonly counts: FlowCounts;
}

/** A shard that this worker has the right to, in the generation of the lease row as it was read. */
export interface ShardClaim {
  readonly key: LeaseKey;
  readonly shardId: string;
  readonly owned: OwnedLease;
}

export function claimOf(lease: Lease, workerId: string): ShardClaim {
  const { key, shardId, generation } = lease;
  return { key, shardId, owned: { key, workerId, generation } };
}

/** Waits of one consumer on the outside. */
export interface ShardWaits {
  readonly redis: Waiting;
  readonly table: Waiting;
}
