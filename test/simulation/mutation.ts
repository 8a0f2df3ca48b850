/**
 * A deliberate bug, switched on at the seam between production code and what the simulation puts in its place: what a
 * port carries is falsified, or a part is composed otherwise. Production code has no switch for any of them.
 */
import type { JobLedger } from '../../controller/ledger-job/ledger-job.ts';
import type { Lease } from '../../lease/lease.ts';
import type { LeaseStore } from '../../lease/lease-store.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { WorkerParts } from '../../worker/shard/shard-parts.ts';
import type { FakeWorkerStore } from '../support/fake-worker-store.ts';
import type { LedgerBug } from './redis.ts';

/** The names that a process has had as a worker. */
export interface WorkerNames {
  has(workerId: string | undefined): boolean;
  /** The newest. */
  lastId(): string | undefined;
}

export interface Mutation {
  /** What is wrong, in a few words. */
  readonly what: string;
  /** The table's own conditions. */
  readonly leaseRows?: (rows: Map<string, Lease>) => LeaseStore;
  /** A worker's lease store, on its side of the network. */
  readonly leaseStore?: (store: LeaseStore, names: WorkerNames) => LeaseStore;
  /** The worker rows as a worker reaches them, on the table's side. */
  readonly workerStore?: (store: FakeWorkerStore) => FakeWorkerStore;
  readonly controllerLeases?: (store: LeaseStore) => LeaseStore;
  readonly parts?: (parts: WorkerParts) => WorkerParts;
  /** The ledger as a worker reaches it, on its side of the network. */
  readonly ledgerPort?: (ledger: Ledger) => Ledger;
  /** The ledger as its job reaches it, on the controller's side of the network. */
  readonly jobLedger?: (ledger: JobLedger['ledger']) => JobLedger['ledger'];
  /** The ledger's own. */
  readonly ledger?: LedgerBug;
}

export const NO_MUTATION: Mutation = { what: 'nothing' };
