/**
 * Makes the parts of a worker from its settings: adapters behind ports, and the numbers between them. Connects to
 * nothing by itself but Redis; decides nothing.
 */
import { join } from 'node:path';
import { redisAddressOf } from '../lease/config.ts';
import { createFleetStores, type FleetStores } from '../lease/dynamodb/fleet-stores.ts';
import { createWorkerIds } from '../lease/worker-id.ts';
import type { FleetRow } from '../lease/worker-store.ts';
import { createLedgerConnection, type LedgerConnection } from '../ledger/redis/connection.ts';
import { createRedisLedger } from '../ledger/redis/redis-ledger.ts';
import { ledgerSpecOf } from '../pipelines/ledger-spec.ts';
import { loadPipeline } from '../pipelines/load.ts';
import type { Pipeline } from '../pipelines/pipeline.ts';
import type { Clock } from '../runtime/clock.ts';
import { ClockSkew } from '../runtime/clock-skew.ts';
import type { Logger } from '../runtime/logger.ts';
import { createWorkerSignals } from '../signal/redis/redis-signals.ts';
import { noSignals, type WorkerSignals } from '../signal/signals.ts';
import { CheckpointBook } from './checkpoint/checkpoint-book.ts';
import type { WorkerSettings } from './config.ts';
import { Advancer } from './ledger/advancer.ts';
import { MAX_COMMIT_RECORDS } from './ledger/shard-ledger.ts';
import { Waiting } from './ledger/waiting.ts';
import { createDecoder } from './pipeline/decode.ts';
import { createIdentity } from './pipeline/identity.ts';
import { FlowCounts } from './shard/flow-counts.ts';
import { createKinesisDeadLetters } from './sink/kinesis-dead-letters.ts';
import { createRedisDeadLetters } from './sink/redis-dead-letters.ts';
import { ByteBudget } from './source/byte-budget.ts';
import { createKinesisClient } from './source/kinesis-client.ts';
import { createOpenSource } from './source/open-source.ts';
import type { WorkerOptions } from './worker.ts';

const MIB = 1024 * 1024;

/** What a worker has before it knows its fleet. */
export interface Outside {
  readonly pipeline: Pipeline;
  readonly stores: FleetStores;
  readonly connection: LedgerConnection;
  readonly kinesis: ReturnType<typeof createKinesisClient>;
  readonly signals: WorkerSignals;
  readonly budget: ByteBudget;
  readonly counts: FlowCounts;
  readonly clockSkew: ClockSkew;
  close(): Promise<void>;
}

/** @throws StartRefused when the pipeline cannot be used. */
export function composeOutside(settings: WorkerSettings, clock: Clock, logger: Logger): Outside {
  const { fleet } = settings;
  const redis = redisAddressOf(settings);
  const pipeline = loadPipeline(settings.pipeline, settings.pipelinesDir ?? join(import.meta.dirname, '../pipelines'));
  const clockSkew = new ClockSkew(clock, logger);
  const stores = createFleetStores({ tableName: fleet, clock, onCall: () => clockSkew.asked() });
  const onChange = (state: 'ready' | 'lost', reason: string): void =>
    state === 'ready' ? logger.info('redis connected') : logger.warn('redis connection lost', { reason });
  const connection = createLedgerConnection({ ...redis, clock, onChange, confirms: settings.settleMs === 0 });
  const kinesis = createKinesisClient();
  const signals = settings.signals === 'on' ? createWorkerSignals({ ...redis, fleet, logger, clock }) : noSignals;
  return {
    pipeline,
    stores,
    connection,
    kinesis,
    signals,
    budget: settings.byteBudgetMib === 0 ? new ByteBudget() : new ByteBudget(settings.byteBudgetMib * MIB),
    counts: new FlowCounts(),
    clockSkew,
    async close() {
      await signals.close();
      connection.close();
      kinesis.destroy();
      stores.close();
    },
  };
}

/** @param fleet has the seed of the identity hashes, the same for all workers. */
export async function composeWorkerOptions(
  settings: WorkerSettings,
  outside: Outside,
  fleet: FleetRow,
  clock: Clock,
  logger: Logger,
): Promise<WorkerOptions> {
  const { pipeline, connection, counts, stores, signals } = outside;
  const { settleMs, checkpointMs, stream, deadLetterStream, bufferRecords, bufferMs, pollIntervalMs } = settings;
  const spec = ledgerSpecOf(pipeline, settings);
  const ledger = createRedisLedger(spec, connection);
  const { slots, bucketBy } = spec;
  const onStored = (stored: number, dropped: number): void => {
    counts.deadLettersStored += stored;
    counts.deadLettersDropped += dropped;
  };
  const parts = {
    ...{ clock, logger, ledger, spec, settleMs, checkpointMs, counts, signals },
    leases: stores.leases,
    advancer: new Advancer({ ledger, spec, settleMs, clock, logger, waiting: new Waiting(clock) }),
    stages: {
      decode: createDecoder(pipeline),
      identify: await createIdentity({ pipeline, hashSeed: fleet.hashSeed, slots, bucketBy }),
    },
    ownRangeOnly: pipeline.ownRangeOnly,
    openSource: createOpenSource({
      ...{ client: outside.kinesis, stream, clock, budget: outside.budget, logger },
      settings: { bufferRecords, bufferMs, pollIntervalMs, maxRecords: MAX_COMMIT_RECORDS },
    }),
    deadLettersFor: (waiting: Waiting) =>
      deadLetterStream === undefined
        ? createRedisDeadLetters({
            ...{ connection, clock, waiting, stream, onStored, ledgerName: spec.name, pipeline: pipeline.name },
            ...{ maxBytes: settings.deadLetterMaxMib * MIB, whenFull: settings.deadLetterFull },
          })
        : createKinesisDeadLetters({
            ...{ client: outside.kinesis, clock, waiting, stream, onStored, deadLetterStream },
          }),
    book: new CheckpointBook(),
  };
  const { heartbeatMs, leaseDurationMs, zone, capacity } = settings;
  const newId = createWorkerIds(settings.name, settings.podUid);
  const session = { store: stores.workers, newId, heartbeatMs, leaseDurationMs };
  return { parts, signals, session, place: { zone, capacity } };
}
