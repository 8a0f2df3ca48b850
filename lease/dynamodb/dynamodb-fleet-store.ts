/**
 * FleetStore and LeaderStore on DynamoDB: the two rows that exist once per fleet, `fleet` and `leader`.
 * The fleet row may begin as a stub that only has workers (they may register first): a stream's ARN makes it one.
 */
import type { FleetRow, FleetStore, LeaderRow, LeaderStore, NewFleetRow } from '../worker-store.ts';
import { brokenRow, number, readCount, readText, readTexts, requireCount, requireText, text } from './attribute.ts';
import type { FleetTable, Item } from './fleet-table.ts';

export const FLEET_KEY = 'fleet';
const LEADER_KEY = 'leader';

export class DynamoDbFleetStore implements FleetStore, LeaderStore {
  readonly #table: FleetTable;

  constructor(table: FleetTable) {
    this.#table = table;
  }

  async createFleet(row: NewFleetRow): Promise<FleetRow> {
    const result = await this.#table.update('createFleet', FLEET_KEY, {
      update: `SET #entityType = :fleet, #streamArn = :arn, #streamCreationEpochSeconds = :created,
        #schemaVersion = :schema, #hashSeed = :seed`,
      when: 'attribute_not_exists(#streamArn)',
      values: {
        ':fleet': text('FLEET'),
        ':arn': text(row.streamArn),
        ':created': number(row.streamCreationEpochSeconds),
        ':schema': number(row.schemaVersion),
        ':seed': text(row.hashSeed),
      },
    });
    // A refusal whose row is gone again: a person deletes it at this moment.
    const created = result.item && fleetRowOf(result.item);
    if (!created) throw brokenRow({ leaseKey: text(FLEET_KEY) }, 'streamArn', 'was removed while it was created');
    return created;
  }

  async readFleet(): Promise<FleetRow | undefined> {
    const item = await this.#table.get('readFleet', FLEET_KEY);
    return item && fleetRowOf(item);
  }

  async adoptStream(seen: number, created: number): Promise<FleetRow | undefined> {
    const result = await this.#table.update('adoptStream', FLEET_KEY, {
      update: 'SET #streamCreationEpochSeconds = :created, #previousCreationEpochSeconds = :seen',
      when: '#streamCreationEpochSeconds = :seen',
      values: { ':seen': number(seen), ':created': number(created) },
    });
    return result.item && fleetRowOf(result.item);
  }

  async rememberScaled(deploymentUid: string): Promise<boolean> {
    const result = await this.#table.update('rememberScaled', FLEET_KEY, {
      update: 'SET #scaledDeploymentUid = :uid',
      when: 'attribute_exists(#streamArn)',
      values: { ':uid': text(deploymentUid) },
    });
    return result.applied;
  }

  async raiseLedgerJob(by: number): Promise<number | undefined> {
    const result = await this.#table.update('raiseLedgerJob', FLEET_KEY, {
      update: 'ADD #ledgerJobGeneration :by',
      when: 'attribute_exists(#streamArn)',
      values: { ':by': number(by) },
    });
    return result.applied && result.item ? requireCount(result.item, 'ledgerJobGeneration') : undefined;
  }

  async readLeader(): Promise<LeaderRow | undefined> {
    const item = await this.#table.get('readLeader', LEADER_KEY);
    return item && leaderRowOf(item);
  }

  async claimLeader(holder: string, seen: LeaderRow | undefined): Promise<LeaderRow | undefined> {
    const beats = (seen?.beats ?? 0) + 1;
    const result = await this.#table.update('claimLeader', LEADER_KEY, {
      update: 'SET #entityType = :leader, #holder = :me, #beats = :next',
      when: seen ? '#holder = :seenHolder AND #beats = :seenBeats' : 'attribute_not_exists(#leaseKey)',
      values: {
        ':leader': text('LEADER'),
        ':me': text(holder),
        ':next': number(beats),
        ...(seen ? { ':seenHolder': text(seen.holder), ':seenBeats': number(seen.beats) } : {}),
      },
    });
    const row = result.item && leaderRowOf(result.item);
    // Only this process writes its own name: that row with the next beat is this very claim, its answer lost.
    return row?.holder === holder && row.beats === beats ? row : undefined;
  }

  async resignLeader(holder: string): Promise<void> {
    await this.#table.remove('resignLeader', LEADER_KEY, {
      where: '#holder = :me',
      values: { ':me': text(holder) },
    });
  }
}

/** Undefined for a stub. */
function fleetRowOf(item: Item): FleetRow | undefined {
  const streamArn = readText(item, 'streamArn');
  if (streamArn === undefined) return undefined;
  const scaledDeploymentUid = readText(item, 'scaledDeploymentUid');
  const previousCreationEpochSeconds = readCount(item, 'previousCreationEpochSeconds');
  return {
    streamArn,
    streamCreationEpochSeconds: requireCount(item, 'streamCreationEpochSeconds'),
    schemaVersion: requireCount(item, 'schemaVersion'),
    hashSeed: requireText(item, 'hashSeed'),
    workers: readTexts(item, 'workers'),
    ...(scaledDeploymentUid === undefined ? {} : { scaledDeploymentUid }),
    ...(previousCreationEpochSeconds === undefined ? {} : { previousCreationEpochSeconds }),
  };
}

function leaderRowOf(item: Item): LeaderRow {
  return { holder: requireText(item, 'holder'), beats: requireCount(item, 'beats') };
}
