/** What the outside says when it does not answer: as the production adapters translate it. */
import { StreamUnavailable } from '../../controller/stream-source.ts';
import { FleetStoreUnavailable } from '../../lease/lease-store.ts';
import { FleetError } from '../../runtime/errors.ts';
import type { StoreEdge } from './wire.ts';

export const TABLE: StoreEdge = {
  name: 'table',
  timeoutMs: 700,
  unanswered: (method) => new FleetStoreUnavailable(method, new Error('no answer')),
  throttled: (method) => new FleetStoreUnavailable(method, new Error('ProvisionedThroughputExceededException')),
};

/** A worker's reads. */
export const KINESIS: StoreEdge = {
  name: 'kinesis',
  timeoutMs: 1_000,
  unanswered: () => new FleetError('no answer', { code: 'TimeoutError', disposition: 'retry' }),
  throttled: () =>
    new FleetError('too many reads', { code: 'ProvisionedThroughputExceededException', disposition: 'retry' }),
};

/** The controller's look at the stream. */
export const STREAM: StoreEdge = {
  name: 'stream',
  timeoutMs: 1_000,
  unanswered: (method) => new StreamUnavailable(method, new Error('no answer')),
  throttled: (method) => new StreamUnavailable(method, new Error('LimitExceededException')),
};
