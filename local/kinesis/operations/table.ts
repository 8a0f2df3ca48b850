/**
 * The operations this server knows, by their names on the wire. Enhanced fan-out would add its own line here and a
 * streaming answer; everything else about a new operation lives in its own file.
 */
import type { Operation } from '../answer.ts';
import { describeStream, describeStreamSummary, listShards, listStreams } from './listing.ts';
import { getRecords, getShardIterator } from './reading.ts';
import { mergeTwoShards, splitOneShard, updateShardCount } from './resharding.ts';
import {
  createStream,
  decreaseRetention,
  deleteStream,
  increaseRetention,
  updateMaxRecordSize,
  updateStreamMode,
} from './stream-settings.ts';
import { putRecord, putRecords } from './writing.ts';

export const OPERATIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['CreateStream', createStream],
  ['DecreaseStreamRetentionPeriod', decreaseRetention],
  ['DeleteStream', deleteStream],
  ['DescribeStream', describeStream],
  ['DescribeStreamSummary', describeStreamSummary],
  ['GetRecords', getRecords],
  ['GetShardIterator', getShardIterator],
  ['IncreaseStreamRetentionPeriod', increaseRetention],
  ['ListShards', listShards],
  ['ListStreams', listStreams],
  ['MergeShards', mergeTwoShards],
  ['PutRecord', putRecord],
  ['PutRecords', putRecords],
  ['SplitShard', splitOneShard],
  ['UpdateMaxRecordSize', updateMaxRecordSize],
  ['UpdateShardCount', updateShardCount],
  ['UpdateStreamMode', updateStreamMode],
]);
