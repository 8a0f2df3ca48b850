/**
 * A lease row as DynamoDB has it: KCL 3's attribute names and types, and ours beside them. The only place that
 * translates between rows and leases. Checkpoints are KCL's text (a plain sequence number or a sentinel) with the
 * sub-sequence number beside it.
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { FleetError } from '../../runtime/errors.ts';
import { parseCheckpointText } from '../checkpoint-text.ts';
import { type DeliveredTo, type Lease, type NewLease, shardIdOf } from '../lease.ts';
import {
  type Checkpoint,
  END,
  type Position,
  parsePosition,
  positionOf,
  SUB_SEQUENCE_NUMBER_DIGITS,
  sequenceNumberOf,
  subSequenceNumberOf,
} from '../position.ts';
import { brokenRow, number, readCount, readText, readTexts, requireCount, requireText, text } from './attribute.ts';
import type { Change, Item } from './fleet-table.ts';

export const SHARD_END = 'SHARD_END';

/** @throws BrokenRow when an attribute is missing, of another type, or says nothing that we know. */
export function leaseOf(item: Item): Lease {
  const key = requireText(item, 'leaseKey');
  return {
    key,
    shardId: shardIdOf(key),
    generation: requireCount(item, 'leaseCounter'),
    checkpoint: checkpointOf(item),
    checkpointVersion: readCount(item, 'checkpointVersion') ?? 0,
    parents: readTexts(item, 'parentShardId'),
    children: readTexts(item, 'childShardIds'),
    ownerSwitchesSinceCheckpoint: readCount(item, 'ownerSwitchesSinceCheckpoint') ?? 0,
    ...optional('owner', readText(item, 'leaseOwner')),
    ...optional('checkpointOwner', readText(item, 'checkpointOwner')),
    ...optional('startingHashKey', readText(item, 'startingHashKey')),
    ...optional('endingHashKey', readText(item, 'endingHashKey')),
    ...optional('ledgerId', readText(item, 'ledgerId')),
    ...optional('ledgerStart', readText(item, 'ledgerStart')),
    ...optional('pending', pendingOf(item)),
    ...optional('resetFloor', resetFloorOf(item)),
    ...optional('deliveredTo', deliveredToOf(item)),
  };
}

/** The write that creates a row; the caller adds nothing but the key. */
export function creationOf(lease: NewLease): Change {
  const checkpoint = checkpointChange(lease.checkpoint);
  const sets = ['#entityType = :lease', '#leaseCounter = :zero', '#checkpointVersion = :zero'];
  const values: Record<string, AttributeValue> = { ':lease': text('LEASE'), ':zero': number(0) };
  sets.push('#ownerSwitchesSinceCheckpoint = :zero');
  if (lease.parents.length > 0) {
    sets.push('#parentShardId = :parents');
    values[':parents'] = { SS: [...new Set(lease.parents)] };
  }
  if (lease.startingHashKey !== undefined) {
    sets.push('#startingHashKey = :startingHashKey');
    values[':startingHashKey'] = text(lease.startingHashKey);
  }
  if (lease.endingHashKey !== undefined) {
    sets.push('#endingHashKey = :endingHashKey');
    values[':endingHashKey'] = text(lease.endingHashKey);
  }
  return {
    update: `SET ${[...sets, checkpoint.set].join(', ')}`,
    when: 'attribute_not_exists(#leaseKey)',
    values: { ...values, ...checkpoint.values },
  };
}

/** A mistake of the caller: a checkpoint is not final, and a shard end is. */
export class ShardEndIsAWriteOfItsOwn extends FleetError {
  constructor(leaseKey: string | undefined) {
    super('the end of a shard is written by shardEnd, not by checkpoint', {
      code: 'ShardEndIsAWriteOfItsOwn',
      disposition: 'fatal',
      fields: { leaseKey },
    });
    this.name = 'ShardEndIsAWriteOfItsOwn';
  }
}

export interface CheckpointChange {
  /** Assignments for a SET clause. */
  readonly set: string;
  /** Attributes for a REMOVE clause. */
  readonly remove: string;
  readonly values: Readonly<Record<string, AttributeValue>>;
}

/** In the text form of `deliveredTo`: position and generation, separated by a blank. */
export function deliveredText({ position, generation }: DeliveredTo): string {
  return `${position} ${generation}`;
}

/** A sentinel's time goes with the sentinel; a prepared checkpoint ends with any checkpoint. */
const PENDING = '#pendingCheckpoint, #pendingCheckpointSubSequenceNumber, #pendingCheckpointState';

export function checkpointChange(checkpoint: Checkpoint): CheckpointChange {
  const position = checkpoint.kind === 'AFTER' ? checkpoint.position : undefined;
  if (position === END) {
    throw new ShardEndIsAWriteOfItsOwn(undefined);
  }
  const values = {
    ':checkpoint': text(position === undefined ? checkpoint.kind : sequenceNumberOf(position)),
    ':subSequenceNumber': number(position === undefined ? 0 : subSequenceNumberOf(position)),
  };
  const set = '#checkpoint = :checkpoint, #checkpointSubSequenceNumber = :subSequenceNumber';
  if (checkpoint.kind !== 'AT_TIMESTAMP') return { set, remove: `${PENDING}, #startTimestamp`, values };
  return {
    set: `${set}, #startTimestamp = :startTimestamp`,
    remove: PENDING,
    values: { ...values, ':startTimestamp': number(checkpoint.timestampMs) },
  };
}

function checkpointOf(item: Item): Checkpoint {
  const stored = requireText(item, 'checkpoint');
  switch (stored) {
    case 'TRIM_HORIZON':
    case 'LATEST':
    case SHARD_END:
      return { kind: stored };
    case 'AT_TIMESTAMP':
      return { kind: stored, timestampMs: requireCount(item, 'startTimestamp') };
    default:
      return { kind: 'AFTER', position: storedPosition(item, 'checkpoint', stored) };
  }
}

/** KCL may have a sentinel there, which prepares nothing that we would have to write again. */
function pendingOf(item: Item): Position | undefined {
  const stored = readText(item, 'pendingCheckpoint');
  if (stored === undefined || /^[A-Z_]+$/.test(stored)) return undefined;
  return storedPosition(item, 'pendingCheckpoint', stored);
}

function resetFloorOf(item: Item): Checkpoint | undefined {
  const stored = readText(item, 'resetFloor');
  if (stored === undefined) return undefined;
  const checkpoint = parseCheckpointText(stored);
  if (!checkpoint) throw brokenRow(item, 'resetFloor', `is no checkpoint: ${stored}`);
  return checkpoint;
}

function deliveredToOf(item: Item): DeliveredTo | undefined {
  const stored = readText(item, 'deliveredTo');
  if (stored === undefined) return undefined;
  const [positionText = '', generation = ''] = stored.split(' ');
  const position = parsePosition(positionText);
  if (position === undefined || !/^\d{1,15}$/.test(generation)) {
    throw brokenRow(item, 'deliveredTo', `is not a position and a generation: ${stored}`);
  }
  return { position, generation: Number(generation) };
}

/** @param attribute has the sequence number; the sub-sequence number is in the attribute named after it. */
function storedPosition(item: Item, attribute: 'checkpoint' | 'pendingCheckpoint', sequenceNumber: string): Position {
  if (!/^\d{1,56}$/.test(sequenceNumber)) {
    throw brokenRow(item, attribute, `is neither a sequence number nor a sentinel: ${sequenceNumber}`);
  }
  const beside = `${attribute}SubSequenceNumber`;
  const subSequenceNumber = readCount(item, beside) ?? 0;
  if (subSequenceNumber >= 10 ** SUB_SEQUENCE_NUMBER_DIGITS) {
    throw brokenRow(item, beside, `is too large: ${subSequenceNumber}`);
  }
  return positionOf(sequenceNumber, subSequenceNumber);
}

function optional<K extends string, V>(name: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [P in K]?: V };
}
