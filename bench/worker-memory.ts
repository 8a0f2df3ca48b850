/**
 * Memory of one worker that has many quiet shards: 100 of them at 100 records per second each, which is where sockets,
 * buffers and per-shard state would show. RSS as the operating system tells it, once a second over a minute, after a
 * minute of warming up. By environment: WARM_UP_S, WINDOW_S. Run: `node bench/worker-memory.ts`.
 */
import { readFileSync } from 'node:fs';
import { exitOnSignals } from '../local/child.ts';
import { CONTAINER_ENV } from '../local/container.ts';
import { type Sample, scrape, sum } from '../local/scrape.ts';
import { Stage } from '../local/stage.ts';
import { systemClock as clock } from '../runtime/clock.ts';

const SHARDS = 100;
const RECORDS_PER_SECOND = SHARDS * 100;
const WARM_UP_S = Number(process.env.WARM_UP_S ?? 60);
const WINDOW_S = Number(process.env.WINDOW_S ?? 60);
const ENDLESS = 100_000_000;

function rssMib(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}

exitOnSignals();
const stage = await Stage.start({ clock, shards: SHARDS, settings: CONTAINER_ENV.worker });
try {
  await Promise.all([stage.fleet.startController(), stage.fleet.scale(1)]);
  const [worker] = stage.fleet.workers;
  const load = { records: ENDLESS, ratePerSecond: RECORDS_PER_SECOND, seed: 1, duplicateShare: 0.05, garbageShare: 0 };
  // It is ended with the stage, in the middle of its work.
  stage.produce(load).catch(() => undefined);
  await clock.sleep(WARM_UP_S * 1_000);
  const page = async (): Promise<Sample[]> => {
    const samples = await scrape(worker!.httpUrl);
    if (!samples)
      throw new Error('the worker did not show its metrics within a second: run this on a machine that is idle');
    return samples;
  };
  const recordsOn = (samples: Sample[]): number => sum(samples, 'kinesis_fleet_records_read_total');
  const before = recordsOn(await page());
  const figures: number[] = [];
  for (let second = 0; second < WINDOW_S; second++) {
    figures.push(rssMib(worker!.child.pid!));
    await clock.sleep(1_000);
  }
  const after = await page();
  const read = recordsOn(after) - before;
  const mib = (name: string): string => (sum(after, name) / 1024 / 1024).toFixed(0);
  const sorted = figures.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN).toFixed(0);
  process.stdout.write(
    `one worker with ${SHARDS} shards, ${Math.round(read / WINDOW_S).toLocaleString('en-US')} records read per second
  RSS in MiB over ${WINDOW_S} s: median ${at(0.5)}, highest ${at(1)}; first ${figures[0]?.toFixed(0)}, last ${figures.at(-1)?.toFixed(0)}
  of these: heap ${mib('nodejs_heap_size_used_bytes')} used of ${mib('nodejs_heap_size_total_bytes')}, beside it ${mib('nodejs_external_memory_bytes')}; bytes read and not done with ${mib('kinesis_fleet_byte_budget_used_bytes')}\n`,
  );
} finally {
  await stage.abort();
}
