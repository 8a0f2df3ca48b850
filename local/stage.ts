/**
 * Everything that the demo and the tests of the whole fleet need on one machine: the servers, a stream, the fleet, a
 * producer that keeps the truth, and eyes to see it all from outside.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateStreamCommand, DescribeStreamSummaryCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { createFleetStores, type FleetStores } from '../lease/dynamodb/fleet-stores.ts';
import type { LedgerReader } from '../ledger/ledger.ts';
import { createLedgerConnection, type LedgerConnection } from '../ledger/redis/connection.ts';
import { createRedisLedger } from '../ledger/redis/redis-ledger.ts';
import type { FleetCounts } from '../pipelines/fleet-counts.ts';
import { ledgerSpecOf } from '../pipelines/ledger-spec.ts';
import { loadPipeline } from '../pipelines/load.ts';
import type { Clock } from '../runtime/clock.ts';
import { Child } from './child.ts';
import { LocalFleet } from './fleet.ts';
import { Observer } from './observe.ts';
import type { RedisKind } from './redis/start.ts';
import { type LocalServers, startServers } from './servers.ts';

const ROOT = join(import.meta.dirname, '..');
const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };
const LEDGER = { fleet: 'local-fleet', slots: 1, horizonHours: 24, expectedIdentities: 1_000_000 };

export interface StageOptions {
  readonly clock: Clock;
  readonly shards: number;
  readonly redisKind?: RedisKind;
  /** Settings of the fleet's processes, beside those that the stage makes. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Told of each line that a process of the fleet prints. */
  readonly onLine?: (line: string) => void;
}

export interface ProduceOptions {
  readonly records: number;
  readonly ratePerSecond: number;
  readonly seed: number;
  readonly duplicateShare: number;
  readonly garbageShare: number;
  /** Logins packed into one Kinesis record; default 1: none are packed. */
  readonly aggregate?: number;
  readonly onProgress?: (produced: number) => void;
}

export class Stage {
  readonly servers: LocalServers;
  readonly fleet: LocalFleet;
  readonly observer: Observer;
  readonly stores: FleetStores;
  readonly ledger: LedgerReader;
  readonly kinesis: KinesisClient;
  readonly stream: string;
  /** Environment under which any command of the CLI finds this fleet. */
  readonly env: Readonly<Record<string, string>>;
  readonly #clock: Clock;
  readonly #ledgerConnection: LedgerConnection;
  readonly #truthDir: string;
  #producer: Child | undefined;

  constructor(servers: LocalServers, options: StageOptions) {
    this.#clock = options.clock;
    this.servers = servers;
    this.stream = 'logins';
    this.env = {
      ...servers.env,
      ...{ STREAM: this.stream, FLEET: LEDGER.fleet, INITIAL_POSITION: 'TRIM_HORIZON', LOG_LEVEL: 'info' },
      ...options.settings,
    };
    const region = 'us-east-1';
    const table = { tableName: LEDGER.fleet, region, endpoint: servers.dynamoDbUrl, credentials: CREDENTIALS };
    this.stores = createFleetStores({ ...table, clock: options.clock });
    this.kinesis = new KinesisClient({
      ...{ region, endpoint: servers.kinesisUrl, credentials: CREDENTIALS },
      requestHandler: new NodeHttpHandler(),
    });
    const pipeline = loadPipeline('logins', join(ROOT, 'pipelines'));
    const ledger = { ...LEDGER, slots: Number(options.settings?.SLOTS ?? LEDGER.slots) };
    this.#ledgerConnection = createLedgerConnection({ url: servers.redisUrl });
    this.ledger = createRedisLedger(ledgerSpecOf(pipeline, ledger), this.#ledgerConnection);
    this.fleet = new LocalFleet(this.env, options.clock, options.onLine);
    this.observer = new Observer(this.fleet, this.stores.leases, this.ledger, pipeline, ledger.slots);
    this.#truthDir = mkdtempSync(join(tmpdir(), 'kinesis-fleet-truth-'));
  }

  /** Servers up, stream active; no process of the fleet yet. */
  static async start(options: StageOptions): Promise<Stage> {
    const stage = new Stage(await startServers(options.clock, options.redisKind), options);
    try {
      await stage.#ledgerConnection.ready();
      await stage.kinesis.send(new CreateStreamCommand({ StreamName: stage.stream, ShardCount: options.shards }));
      await stage.untilActive();
      return stage;
    } catch (error) {
      await stage.stop();
      throw error;
    }
  }

  async untilActive(): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      const answer = await this.kinesis.send(new DescribeStreamSummaryCommand({ StreamName: this.stream }));
      if (answer.StreamDescriptionSummary?.StreamStatus === 'ACTIVE') return;
      await this.#clock.sleep(25);
    }
    throw new Error(`the stream ${this.stream} did not become active`);
  }

  /** Produces in a process of its own; gives the truth when all is sent. */
  async produce(options: ProduceOptions): Promise<FleetCounts> {
    const truthFile = join(this.#truthDir, `truth-${options.seed}.json`);
    const numbers = { records: options.records, rate: options.ratePerSecond, seed: options.seed };
    const shares = { duplicates: options.duplicateShare, garbage: options.garbageShare };
    const packing = { aggregate: options.aggregate ?? 1 };
    const flags = Object.entries({ ...numbers, ...shares, ...packing, truth: truthFile }).flatMap(([name, value]) => [
      `--${name}`,
      String(value),
    ]);
    const child = new Child({
      name: 'producer',
      command: process.execPath,
      args: [join(ROOT, 'cli/main.ts'), 'produce', '--json', ...flags],
      env: this.env,
      clock: this.#clock,
      onLine: (line) => options.onProgress?.(Number(/"produced":(\d+)/.exec(line)?.[1] ?? Number.NaN)),
    });
    this.#producer = child;
    const code = await child.exited;
    if (code !== 0) throw new Error(`the producer failed (${code}):\n${child.lines.slice(-15).join('\n')}`);
    return JSON.parse(readFileSync(truthFile, 'utf8')) as FleetCounts;
  }

  /**
   * Waits until as many records are counted as the truth has, then a little longer, in which too many would show.
   * Gives the figures as they stand then, or when time is up.
   */
  async untilCounted(records: number, timeoutMs: number, restMs = 2_500): Promise<FleetCounts> {
    const deadline = this.#clock.monotonicMs() + timeoutMs;
    while (this.#clock.monotonicMs() < deadline && (await this.observer.counts()).records < records) {
      await this.#clock.sleep(100);
    }
    await this.#clock.sleep(restMs);
    return this.observer.counts();
  }

  /** Ends everything: the fleet first, politely, then the servers; removes all files. */
  async stop(): Promise<void> {
    this.#producer?.kill('SIGKILL');
    await this.fleet.stop();
    this.#close();
    await this.servers.stop();
  }

  /** Ends everything without waiting for drains. */
  async abort(): Promise<void> {
    this.#producer?.kill('SIGKILL');
    this.fleet.killAll();
    this.#close();
    await this.servers.stop();
  }

  #close(): void {
    this.kinesis.destroy();
    this.stores.close();
    this.#ledgerConnection.close();
    rmSync(this.#truthDir, { recursive: true, force: true });
  }
}
