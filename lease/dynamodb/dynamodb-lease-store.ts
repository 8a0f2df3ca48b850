/**
 * LeaseStore on DynamoDB: each method is one conditional UpdateItem. A write whose answer was lost is repeated by its
 * caller and then fails its condition on its own effect; where the row found can only be that effect (or one that
 * nobody could tell from it), the repeat is won. Each `done` says why. All rest on two facts: a generation has one
 * owner for ever, and a caller only writes upon a state that it saw.
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { BrokenRow } from '../broken-row.ts';
import { checkpointText } from '../checkpoint-text.ts';
import { isFinished, isMine, type Lease, type LeaseKey, type NewLease } from '../lease.ts';
import type { LeaseStore, OwnedLease, RemoveOutcome, SeenLease, WriteOutcome } from '../lease-store.ts';
import { type Checkpoint, type Position, sequenceNumberOf, subSequenceNumberOf } from '../position.ts';
import { number, text } from './attribute.ts';
import type { Change, FleetTable, ScanFilter } from './fleet-table.ts';
import { isHandedOver, isHanding, isHeld, isResetTo, isUnowned } from './found-lease.ts';
import { countersOf, handoffEnd } from './handoff-end.ts';
import { checkpointChange, creationOf, leaseOf, SHARD_END, ShardEndIsAWriteOfItsOwn } from './lease-row.ts';

export interface DynamoDbLeaseStoreOptions {
  /** Told of each row that readAll had to leave out. */
  readonly onBrokenRow?: (row: BrokenRow) => void;
}

type Values = Readonly<Record<string, AttributeValue>>;

const FREE_OF_HANDOFF = 'attribute_not_exists(#checkpointOwner)';
const MINE = `#leaseCounter = :g AND (#checkpointOwner = :me OR (${FREE_OF_HANDOFF} AND #leaseOwner = :me))`;
const NOT_OLDER = '(attribute_not_exists(#checkpointVersion) OR #checkpointVersion <= :version)';

export class DynamoDbLeaseStore implements LeaseStore {
  readonly #table: FleetTable;
  readonly #onBrokenRow: (row: BrokenRow) => void;

  constructor(table: FleetTable, options: DynamoDbLeaseStoreOptions = {}) {
    this.#table = table;
    this.#onBrokenRow = options.onBrokenRow ?? (() => undefined);
  }

  /** A repeat after a lost answer is lost, with the row: for a create that is all the caller wanted. */
  async create(lease: NewLease): Promise<WriteOutcome> {
    return this.#write('create', lease.key, creationOf(lease));
  }

  assign(seen: SeenLease, owner: string): Promise<WriteOutcome> {
    return this.#write(
      'assign',
      seen.key,
      {
        update: 'SET #leaseOwner = :owner, #leaseCounter = :next',
        when: 'attribute_not_exists(#leaseOwner) AND #checkpoint <> :shardEnd AND #leaseCounter = :g',
        values: { ...countersOf(seen), ':owner': text(owner), ':shardEnd': text(SHARD_END) },
      },
      // Generation g+1 has one owner for ever: whoever wrote it, it is the assignment that was asked for.
      (found) => isHeld(found, owner, seen.generation + 1),
    );
  }

  take(seen: SeenLease, from: string, owner: string): Promise<WriteOutcome> {
    return this.#write(
      'take',
      seen.key,
      {
        update: 'SET #leaseOwner = :owner, #leaseCounter = :next ADD #ownerSwitchesSinceCheckpoint :one',
        when: `#leaseOwner = :from AND ${FREE_OF_HANDOFF} AND #leaseCounter = :g`,
        values: { ...countersOf(seen), ':owner': text(owner), ':from': text(from), ':one': number(1) },
      },
      // As in assign.
      (found) => isHeld(found, owner, seen.generation + 1),
    );
  }

  handoff(seen: SeenLease, from: string, to: string): Promise<WriteOutcome> {
    return this.#write(
      'handoff',
      seen.key,
      {
        update: 'SET #leaseOwner = :to, #checkpointOwner = :from',
        when: `#leaseOwner = :from AND ${FREE_OF_HANDOFF} AND #leaseCounter = :g`,
        values: { ':g': number(seen.generation), ':from': text(from), ':to': text(to) },
      },
      // A generation is handed off from `from` in one way only; once it is over the counter has moved, and this is lost.
      (found) => isHanding(found, from, to, seen.generation),
    );
  }

  retarget(seen: SeenLease, old: string, from: string, to: string): Promise<WriteOutcome> {
    return this.#write(
      'retarget',
      seen.key,
      {
        update: 'SET #leaseOwner = :to',
        when: '#checkpointOwner = :old AND #leaseOwner = :from AND #leaseCounter = :g',
        values: { ':g': number(seen.generation), ':old': text(old), ':from': text(from), ':to': text(to) },
      },
      // The row says what was wanted, by whomever.
      (found) => isHanding(found, old, to, seen.generation),
    );
  }

  force(seen: SeenLease, old: string): Promise<WriteOutcome> {
    // From a handoff in g only release and force lead to an owner in g+1: either way `old` is out, which was wanted.
    return this.#write('force', seen.key, handoffEnd(seen, old), (found) => isHandedOver(found, seen.generation));
  }

  release(owned: OwnedLease, deliveredTo?: Position): Promise<WriteOutcome> {
    // As in force: nobody can tell the two apart, and in both this worker has nothing more to do.
    const { workerId, generation } = owned;
    const change = handoffEnd(owned, workerId, deliveredTo);
    return this.#write('release', owned.key, change, (found) => isHandedOver(found, generation));
  }

  async reset(seen: SeenLease, checkpoint: Checkpoint): Promise<WriteOutcome> {
    const change = checkpointChange(checkpoint);
    const resetFloor = checkpointText(checkpoint);
    return this.#write(
      'reset',
      seen.key,
      {
        update: `SET ${change.set}, #resetFloor = :resetFloor, #leaseCounter = :next
          REMOVE #leaseOwner, #checkpointOwner, ${change.remove}`,
        when: '#leaseCounter = :g',
        values: { ...countersOf(seen), ...change.values, ':resetFloor': text(resetFloor) },
      },
      // Free in g+1, beginning there and meant to: all that was wanted, by whomever.
      (found) => isUnowned(found, seen.generation + 1) && isResetTo(found, resetFloor),
    );
  }

  remove(seen: SeenLease): Promise<RemoveOutcome> {
    return this.#remove('remove', seen.key, { where: '#leaseCounter = :g', values: { ':g': number(seen.generation) } });
  }

  lift(owned: OwnedLease, above: number): Promise<WriteOutcome> {
    const change = {
      update: 'SET #leaseCounter = :lifted',
      when: MINE,
      values: { ...ownersOf(owned), ':lifted': number(above + 1) },
    };
    // Who asks is the owner, and nobody else lifts for it: in that generation the row is as it wanted it.
    return this.#write(
      'lift',
      owned.key,
      change,
      (found) => found.generation === above + 1 && isMine(found, owned.workerId),
    );
  }

  discard(owned: OwnedLease): Promise<RemoveOutcome> {
    return this.#remove('discard', owned.key, { where: MINE, values: ownersOf(owned) });
  }

  /** Idempotent: a set of ids. */
  async addChildren(key: LeaseKey, children: readonly string[]): Promise<WriteOutcome> {
    if (children.length > 0) {
      return this.#write('addChildren', key, {
        update: 'ADD #childShardIds :children',
        when: 'attribute_exists(#leaseKey)',
        values: { ':children': { SS: [...new Set(children)] } },
      });
    }
    const lease = await this.read(key);
    return lease ? { won: true, lease } : { won: false, lease };
  }

  free(owned: OwnedLease): Promise<WriteOutcome> {
    return this.#write(
      'free',
      owned.key,
      {
        update: 'REMOVE #leaseOwner',
        when: `#leaseOwner = :me AND ${FREE_OF_HANDOFF} AND #leaseCounter = :g`,
        values: ownersOf(owned),
      },
      // Within g only free and shard end remove the owner, and both are this worker's own writes.
      (found) => isUnowned(found, owned.generation) && !isFinished(found),
    );
  }

  /** As for a checkpoint, the version makes a repeat win again. */
  prepare(owned: OwnedLease, position: Position, version: number): Promise<WriteOutcome> {
    return this.#write('prepare', owned.key, {
      update: `SET #pendingCheckpoint = :pending, #pendingCheckpointSubSequenceNumber = :subSequenceNumber,
        #checkpointVersion = :version`,
      when: `${MINE} AND ${NOT_OLDER}`,
      values: {
        ...ownersOf(owned),
        ':pending': text(sequenceNumberOf(position)),
        ':subSequenceNumber': number(subSequenceNumberOf(position)),
        ':version': number(version),
      },
    });
  }

  /** The version makes a repeat win again: it writes the same content under the same number. */
  async checkpoint(owned: OwnedLease, checkpoint: Checkpoint, version: number): Promise<WriteOutcome> {
    if (checkpoint.kind === 'SHARD_END') throw new ShardEndIsAWriteOfItsOwn(owned.key);
    const change = checkpointChange(checkpoint);
    return this.#write('checkpoint', owned.key, {
      update: `SET ${change.set}, #checkpointVersion = :version, #ownerSwitchesSinceCheckpoint = :zero REMOVE ${change.remove}`,
      when: `${MINE} AND ${NOT_OLDER}`,
      values: { ...ownersOf(owned), ...change.values, ':version': number(version), ':zero': number(0) },
    });
  }

  shardEnd(owned: OwnedLease, version: number): Promise<WriteOutcome> {
    const change = checkpointChange({ kind: 'SHARD_END' });
    return this.#write(
      'shardEnd',
      owned.key,
      {
        update: `SET ${change.set}, #checkpointVersion = :version REMOVE #leaseOwner, #checkpointOwner, ${change.remove}`,
        when: `${MINE} AND ${NOT_OLDER}`,
        values: { ...ownersOf(owned), ...change.values, ':version': number(version) },
      },
      // In generation g only this worker writes checkpoints, and it uses a version for one content.
      (found) => isFinished(found) && isUnowned(found, owned.generation) && found.checkpointVersion === version,
    );
  }

  /** A repeat writes the same values and wins again. */
  bind(owned: OwnedLease, ledgerId: string, ledgerStart: string): Promise<WriteOutcome> {
    return this.#write('bind', owned.key, {
      update: 'SET #ledgerId = :ledgerId, #ledgerStart = :ledgerStart',
      when: MINE,
      values: { ...ownersOf(owned), ':ledgerId': text(ledgerId), ':ledgerStart': text(ledgerStart) },
    });
  }

  /** @throws BrokenRow */
  async read(key: LeaseKey): Promise<Lease | undefined> {
    const item = await this.#table.get('read', key);
    return item && leaseOf(item);
  }

  async readAll(onBroken?: (row: BrokenRow) => void): Promise<Lease[]> {
    const leases: Lease[] = [];
    const filter = {
      where: 'attribute_not_exists(#entityType) OR #entityType = :lease',
      values: { ':lease': text('LEASE') },
    };
    for await (const page of this.#table.scan('readAll', filter)) {
      for (const item of page) {
        try {
          leases.push(leaseOf(item));
        } catch (error) {
          if (!(error instanceof BrokenRow)) throw error;
          this.#onBrokenRow(error);
          onBroken?.(error);
        }
      }
    }
    return leases;
  }

  /** A repeat finds no row, as the first attempt left it. */
  async #remove(operation: string, key: LeaseKey, condition: ScanFilter): Promise<RemoveOutcome> {
    await this.#table.remove(operation, key, condition);
    const lease = await this.read(key);
    return lease ? { won: false, lease } : { won: true, lease };
  }

  async #write(
    operation: string,
    key: LeaseKey,
    change: Change,
    done: (found: Lease) => boolean = () => false,
  ): Promise<WriteOutcome> {
    const result = await this.#table.update(operation, key, change);
    if (result.applied) return { won: true, lease: leaseOf(result.item) };
    if (!result.item) return { won: false, lease: undefined };
    const lease = leaseOf(result.item);
    return { won: done(lease), lease };
  }
}

function ownersOf(owned: OwnedLease): Values {
  return { ':g': number(owned.generation), ':me': text(owned.workerId) };
}
