/**
 * CPU time per record of one worker process, end to end: TLS, GetRecords of 124-byte protobuf logins from eight
 * shards, decode, identity, ledger with both uniques, checkpoint. CPU time is the operating system's own account of the
 * worker's process over a window in which records are counted in the ledger; Redis's is its own account.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child, exitOnSignals } from '../local/child.ts';
import { CONTAINER_ENV } from '../local/container.ts';
import { LocalFleet } from '../local/fleet.ts';
import { startRedis } from '../local/redis/start.ts';
import { scrape, sum } from '../local/scrape.ts';
import { systemClock } from '../runtime/clock.ts';

export interface EndToEndFigures {
  readonly recordsPerCpuSecond: number;
  readonly recordsPerSecond: number;
  readonly redisMicrosPerRecord: number;
}

const WARM_UP_MS = 6_000;
const WINDOW_MS = 6_000;
const TICKS_PER_SECOND = 100;

/** One figure per window. */
export async function measureEndToEnd(windows: number): Promise<EndToEndFigures[]> {
  exitOnSignals();
  const clock = systemClock;
  const dataDir = mkdtempSync(join(tmpdir(), 'kinesis-fleet-bench-'));
  const children: Child[] = [];
  const start = async (name: string, file: string): Promise<string> => {
    const child = new Child({ name, command: process.execPath, args: [join(import.meta.dirname, file)], clock });
    children.push(child);
    return child.waitForLine((line) => /"listening":\s*"([^"]+)"/.exec(line)?.[1], 20_000);
  };
  let fleet: LocalFleet | undefined;
  try {
    const redis = await startRedis({ clock, dataDir, kind: 'redis-server' });
    children.push(redis.child);
    const [kinesis, dynamoDb] = await Promise.all([
      start('kinesis', 'stub-kinesis.ts'),
      start('dynamodb', '../local/dynamodb/main.ts'),
    ]);
    fleet = new LocalFleet(
      {
        ...{ AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'bench', AWS_SECRET_ACCESS_KEY: 'bench' },
        ...{ AWS_ENDPOINT_URL_KINESIS: kinesis, AWS_ENDPOINT_URL_DYNAMODB: dynamoDb, REDIS_URL: redis.url },
        ...{
          STREAM: 'logins',
          FLEET: 'bench-fleet',
          INITIAL_POSITION: 'TRIM_HORIZON',
          EXPECTED_IDENTITIES: '10000000',
        },
        ...CONTAINER_ENV.worker,
        NODE_EXTRA_CA_CERTS: join(import.meta.dirname, 'tls/loopback-cert.pem'),
      },
      clock,
    );
    await Promise.all([fleet.startController(), fleet.scale(1)]);
    await clock.sleep(WARM_UP_MS);
    const figures: EndToEndFigures[] = [];
    for (let window = 0; window < windows; window++) figures.push(await measureWindow(fleet, redis.child));
    return figures;
  } finally {
    fleet?.killAll();
    await Promise.all(children.map((child) => child.stop(3_000)));
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function measureWindow(fleet: LocalFleet, redis: Child): Promise<EndToEndFigures> {
  const [worker] = fleet.workers;
  if (!worker) throw new Error('there is no worker');
  const look = async (): Promise<{ records: number; cpu: number; redisCpu: number; atMs: number }> => {
    const records = sum((await scrape(worker.httpUrl)) ?? [], 'kinesis_fleet_records_read_total');
    return { records, cpu: cpuSeconds(worker.child), redisCpu: cpuSeconds(redis), atMs: performance.now() };
  };
  const before = await look();
  await systemClock.sleep(WINDOW_MS);
  const after = await look();
  const records = after.records - before.records;
  return {
    recordsPerCpuSecond: records / (after.cpu - before.cpu),
    recordsPerSecond: records / ((after.atMs - before.atMs) / 1_000),
    redisMicrosPerRecord: ((after.redisCpu - before.redisCpu) * 1e6) / records,
  };
}

/** User and system time of a process, all threads. */
function cpuSeconds(child: Child): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

if (import.meta.main) {
  const figures = await measureEndToEnd(5);
  const of = (pick: (figure: EndToEndFigures) => number): string =>
    `${Math.round(median(figures.map(pick))).toLocaleString('en-US')} (${figures
      .map(pick)
      .map((value) => Math.round(value).toLocaleString('en-US'))
      .join(' · ')})`;
  process.stdout.write(
    [
      'one worker end to end: TLS, 124-byte protobuf, 8 shards, both uniques, checkpoint; median of 5 windows',
      `  records per CPU-second of the worker: ${of((figure) => figure.recordsPerCpuSecond)}`,
      `  records per second: ${of((figure) => figure.recordsPerSecond)}`,
      `  Redis, nanoseconds of CPU per record: ${of((figure) => figure.redisMicrosPerRecord * 1_000)}`,
      '',
    ].join('\n'),
  );
}
