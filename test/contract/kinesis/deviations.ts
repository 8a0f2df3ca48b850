/**
 * Where the other two servers are known to depart from the contract: by case, what they do instead, and why that is
 * their fault and not ours. A deviation is asserted like the contract itself, so a new version of theirs that mends it
 * shows up as a failure here. docs/local-kinesis.md has the same table in words.
 */
import type { ServerName } from './kinesis-servers.ts';

export type Deviation =
  /** What the server is seen to do in place of what the contract says. */
  | { reason: string; instead: unknown }
  /** What it does instead depends on its timing: only that it departs is asserted. */
  | { reason: string; differs: true }
  /** It breaks down over it, which is shown with a server of its own. */
  | { reason: string; breaksDown: Breakdown };

export type Breakdown = 'its process ends' | 'no answer';

const ALL_FOUR = [0, 1, 2, 3];
/** What a server selects to which a shard counts as open at any time. */
const TIMELESS = {
  AT_TRIM_HORIZON: ALL_FOUR,
  FROM_TRIM_HORIZON: ALL_FOUR,
  'AT_TIMESTAMP before the split': ALL_FOUR,
  'AT_TIMESTAMP after it': ALL_FOUR,
  'FROM_TIMESTAMP before the split': ALL_FOUR,
  'FROM_TIMESTAMP after it': ALL_FOUR,
};

const KINESALITE: Readonly<Record<string, Deviation>> = {
  'on-demand': { reason: 'it knows provisioned streams only', instead: 'ValidationException' },
  'on-demand-reshard': { reason: 'it knows provisioned streams only', instead: 'ValidationException' },
  'by-arn': { reason: 'it knows no ARNs', instead: 'ValidationException' },
  'describe-pages': {
    reason: 'it describes all shards at once',
    instead: [
      [[0, 1, 2], false],
      [[0, 1, 2], false],
    ],
  },
  'list-shards-pages': { reason: 'it lists all shards at once', instead: [[0, 1, 2], 'no token'] },
  'list-shards-token-filter': { reason: 'it has neither pages nor filters', instead: [ALL_FOUR, 'no token'] },
  'list-shards-bad-token': { reason: 'it takes it for its own', breaksDown: 'its process ends' },
  filters: {
    reason: 'it has no shard filters',
    instead: { ...TIMELESS, AT_LATEST: ALL_FOUR, AFTER_SHARD_ID: ALL_FOUR },
  },
  'shard-end': {
    reason: 'it does not name the children',
    instead: { texts: ['a', 'b'], isEnded: true, children: undefined },
  },
  'split-refusals': {
    reason: 'it splits a closed shard again, and is then UPDATING',
    instead: ['ResourceNotFoundException', 'accepted', 'ResourceInUseException'],
  },
  'update-shard-count': { reason: 'it has no UpdateShardCount', instead: 'UnknownOperationException' },
  'request-size': { reason: 'it cuts a body above 7 MiB without a word', instead: ['Unknown', 'Unknown'] },
  'limit-and-lag': { reason: 'its lag is always zero', instead: [['a', 'b', 'c'], false, ['d'], 0] },
  'limit-range': {
    reason: 'it calls a limit that is too high a ValidationException',
    instead: ['accepted', 'ValidationException', 'ValidationException'],
  },
  'at-timestamp-tip': { reason: 'it searches for a record for ever', breaksDown: 'no answer' },
};

const KINESIS_LOCAL: Readonly<Record<string, Deviation>> = {
  'create-refusals': {
    reason: 'it has no ValidationException',
    instead: ['ResourceInUseException', 'InvalidArgumentException', 'LimitExceededException'],
  },
  'list-shards-token-filter': { reason: 'its token loses the filter', instead: [[0], [1, 2, 3]] },
  filters: {
    reason: 'a shard counts as open at any time, or by whole seconds',
    differs: true,
  },
  'split-lineage': {
    reason: 'its ranges are one key off',
    instead: [
      { index: 0, parent: undefined, start: '0', isClosed: true },
      { index: 1, parent: undefined, start: (2n ** 127n - 1n).toString(), isClosed: false },
      { index: 2, parent: 0, start: '0', isClosed: false },
      { index: 3, parent: 0, start: (2n ** 126n).toString(), isClosed: false },
    ],
  },
  'split-refusals': {
    reason: 'it calls the closed shard in use, and splits one key from the edge',
    instead: ['ResourceNotFoundException', 'ResourceInUseException', 'accepted'],
  },
  'update-shard-count': {
    reason: 'its ranges are one key off',
    instead: { closed: 2, starts: [0n, 2n ** 126n - 1n, 2n ** 127n - 1n, 2n ** 127n + 2n ** 126n - 1n] },
  },
  'on-demand-reshard': {
    reason: 'it splits on-demand shards on demand',
    instead: ['accepted', 'ResourceInUseException'],
  },
  'put-batch': { reason: 'it counts no records', instead: ['accepted', 'accepted', 'accepted'] },
  'put-keys': {
    reason: 'it has no ValidationException, and fails without a name on a hash key that is no number',
    instead: ['accepted', ...Array.from({ length: 3 }, () => 'InvalidArgumentException'), 'Unknown'],
  },
  'record-size': { reason: 'it takes 10 MiB of any stream', instead: ['accepted', 'accepted'] },
  'request-size': { reason: 'it takes many seconds over large requests', breaksDown: 'no answer' },
  'limit-and-lag': { reason: 'its lag is zero before the tip', instead: [['a', 'b', 'c'], false, ['d'], 0] },
  'limit-range': {
    reason: 'it has no ValidationException',
    instead: ['accepted', 'InvalidArgumentException', 'InvalidArgumentException'],
  },
  'foreign-sequence': { reason: "it takes another shard's sequence number", instead: 'accepted' },
  'iterator-refusals': {
    reason: 'it overlooks a needless sequence number, and has no ValidationException',
    instead: {
      unknownShard: 'ResourceNotFoundException',
      unknownStream: 'ResourceNotFoundException',
      withoutSequence: 'InvalidArgumentException',
      needlessSequence: 'accepted',
      withoutTimestamp: 'InvalidArgumentException',
      future: 'InvalidArgumentException',
      wrongType: 'SerializationException',
    },
  },
  'garbage-iterator': { reason: 'it fails without a name', instead: 'Unknown' },
};

export const DEVIATIONS: Readonly<Record<ServerName, Readonly<Record<string, Deviation>>>> = {
  local: {},
  kinesalite: KINESALITE,
  'kinesis-local': KINESIS_LOCAL,
};
