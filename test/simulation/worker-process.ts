/**
 * A worker process as worker/main.ts and worker/compose.ts put it together, on the simulation's clock and behind its
 * ports. Everything between the ports is the production code.
 */
import type { LeaseStore } from '../../lease/lease-store.ts';
import type { FleetStore } from '../../lease/worker-store.ts';
import type { Logger } from '../../runtime/logger.ts';
import { noSignals } from '../../signal/signals.ts';
import { CheckpointBook } from '../../worker/checkpoint/checkpoint-book.ts';
import { Advancer } from '../../worker/ledger/advancer.ts';
import { positionAt } from '../../worker/ledger/batch-part.ts';
import { MAX_COMMIT_RECORDS } from '../../worker/ledger/shard-ledger.ts';
import { Waiting } from '../../worker/ledger/waiting.ts';
import { FlowCounts } from '../../worker/shard/flow-counts.ts';
import type { WorkerParts } from '../../worker/shard/shard-parts.ts';
import { runUntilDrained } from '../../worker/shutdown.ts';
import type { DeadLetterSink } from '../../worker/sink/dead-letter-sink.ts';
import { ByteBudget } from '../../worker/source/byte-budget.ts';
import { openPollingSource } from '../../worker/source/polling.ts';
import { ShardListing } from '../../worker/source/shard-listing.ts';
import { untilFleet } from '../../worker/startup.ts';
import { Worker } from '../../worker/worker.ts';
import { KINESIS, TABLE } from './edges.ts';
import type { RedisLink } from './redis-link.ts';
import { HEARTBEAT_MS, LEASE_DURATION_MS } from './settings.ts';
import type { SimProcess } from './sim-process.ts';
import type { World } from './world.ts';

const CALL_DEADLINE_MS = 1_500;
const SHUTDOWN_MS = 4_000;
const BUDGET_BYTES = 512 * 1024 * 1024;

/** Resolves when the process has ended by itself. */
export async function runWorker(world: World, process: SimProcess): Promise<void> {
  const signal = process.terminated.signal;
  const { wire, trace, mutation } = world;
  const rows = world.workerStoreOf();
  const workers = wire.gate(process, TABLE, mutation.workerStore?.(rows) ?? rows);
  const fleet: FleetStore = workers;
  const table = wire.gate(process, TABLE, world.leaseStoreOf(process));
  const leases = mutation.leaseStore?.(table, world.namesOf(process)) ?? table;
  const logger = trace.loggerOf(process.name);
  await untilFleet({ clock: process, logger, signal, onWait: () => undefined }, fleet, 'logins');
  const signals = world.settings.hasSignals ? world.hints.worker(process) : noSignals;
  const parts = partsOf(world, process, leases, signals);
  let registrations = 0;
  const worker = new Worker({
    parts: mutation.parts?.(parts) ?? parts,
    signals,
    session: {
      store: workers,
      newId: () => world.named(`${process.name}-${++registrations}`, process),
      heartbeatMs: HEARTBEAT_MS,
      leaseDurationMs: LEASE_DURATION_MS,
    },
  });
  world.workersRunning.set(process, worker);
  await runUntilDrained(worker, {
    clock: process,
    logger,
    stores: { workers, fleet },
    signals,
    shutdownMs: SHUTDOWN_MS,
    signal,
  });
}

function partsOf(world: World, process: SimProcess, leases: LeaseStore, signals: WorkerParts['signals']): WorkerParts {
  const { redis, settings, trace } = world;
  const { spec, settleMs, checkpointMs } = settings;
  const logger = watchHeals(world, trace.loggerOf(process.name));
  const link = redis.connect(process);
  const reached = redis.ledgerOf(process, link);
  const ledger = world.mutation.ledgerPort?.(reached) ?? reached;
  const advancing = { ledger, spec, settleMs, clock: process, logger, waiting: new Waiting(process) };
  return {
    ...{ logger, ledger, spec, settleMs, checkpointMs, leases, signals, clock: process },
    counts: new FlowCounts(),
    advancer: new Advancer(advancing),
    stages: world.stages,
    openSource: sourcesOf(world, process),
    deadLettersFor: (waiting) => deadLettersOf(world, process, link, waiting),
    streamingSinks: [{ deliver: async (key, judged, from) => world.delivery.handedOn(process, key, judged, from) }],
    book: new CheckpointBook(),
  };
}

/** What begins to heal says so, and nothing else does. */
function watchHeals(world: World, logger: Logger): Logger {
  return {
    ...logger,
    warn: (message, fields) => {
      if (message.endsWith(': healing')) world.rare.saw('healing');
      logger.warn(message, fields);
    },
    child: (fields) => watchHeals(world, logger.child(fields)),
  };
}

function sourcesOf(world: World, process: SimProcess): WorkerParts['openSource'] {
  const { settings, trace, wire, stream, random } = world;
  const reads = wire.gate(process, KINESIS, stream.reads);
  const listing = new ShardListing(reads, process);
  const budget = new ByteBudget(BUDGET_BYTES);
  const { pollIntervalMs, bufferRecords, bufferMs } = settings;
  return (shardId, start) =>
    openPollingSource({
      ...{ shardId, start, reads, listing, budget, clock: process },
      logger: trace.loggerOf(process.name, { shard: shardId }),
      random: () => random.next(),
      settings: {
        ...{ pollIntervalMs, bufferRecords, bufferMs },
        maxRecords: MAX_COMMIT_RECORDS,
        callDeadlineMs: CALL_DEADLINE_MS,
      },
    });
}

/** As the sink in Redis does it: beside slot 0, over the ledger's connection. */
function deadLettersOf(world: World, process: SimProcess, link: RedisLink, waiting: Waiting): DeadLetterSink {
  return {
    async store(shard, { batch, through }, signal) {
      const { positions } = batch.records;
      const ids = batch.rejected.map(({ index }) => `${shard}@${positionAt(positions, index)}`);
      if (ids.length === 0) return { through, stored: undefined };
      const connection = await waiting.patiently(signal, () => world.redis.storeLetters(process, link, ids));
      return { through, stored: { connection, answeredAtMs: process.monotonicMs() } };
    },
  };
}
