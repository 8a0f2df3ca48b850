/**
 * Memory and CPU time of the fleet's processes from /proc, sampled each second: a table per minute, and the judgement
 * whether memory grows. A process started again counts afresh, so only processes that lived long enough are judged, each
 * by its own age: the mean of its second to fourth minute against the mean of its last three.
 */
import { readFileSync } from 'node:fs';
import type { Life } from './slot.ts';

const PAGE_BYTES = 4_096;
const CLOCK_TICKS_PER_SECOND = 100;
const MINUTE_MS = 60_000;
const MIB = 1024 * 1024;
/** Both stretches of time without overlap. */
const JUDGED_AGE_MS = 6.9 * MINUTE_MS;
const EARLY_MS: readonly [number, number] = [MINUTE_MS, 4 * MINUTE_MS];
const LATE_MS = 3 * MINUTE_MS;
export const MAX_GROWTH = 1.1;

interface Sample {
  /** Since the run began, and since the process did. */
  readonly runMs: number;
  readonly ageMs: number;
  readonly rssBytes: number;
  readonly cpuSeconds: number;
}

export interface Growth {
  readonly name: string;
  readonly earlyBytes: number;
  readonly lateBytes: number;
  readonly ratio: number;
}

export class ProcessFigures {
  readonly #lives = new Map<string, { readonly life: Life; readonly bornMs: number; readonly samples: Sample[] }>();

  born(life: Life, nowMs: number): void {
    this.#lives.set(life.name, { life, bornMs: nowMs, samples: [] });
  }

  /** Notes every process that runs. */
  sample(nowMs: number): void {
    for (const { life, bornMs, samples } of this.#lives.values()) {
      const figures = life.child.ended === undefined && life.child.pid ? read(life.child.pid) : undefined;
      if (figures) samples.push({ runMs: nowMs, ageMs: nowMs - bornMs, ...figures });
    }
  }

  /** Processes that lived long enough to be judged. */
  growths(): Growth[] {
    return [...this.#lives].flatMap(([name, { samples }]) => {
      const endMs = samples.at(-1)?.ageMs ?? 0;
      if (endMs < JUDGED_AGE_MS) return [];
      const earlyBytes = meanRss(samples.filter(({ ageMs }) => ageMs >= EARLY_MS[0] && ageMs < EARLY_MS[1]));
      const lateBytes = meanRss(samples.filter(({ ageMs }) => ageMs >= endMs - LATE_MS));
      return [{ name, earlyBytes, lateBytes, ratio: lateBytes / earlyBytes }];
    });
  }

  /** How long each process was seen alive. */
  ages(): { readonly name: string; readonly seconds: number }[] {
    return [...this.#lives].map(([name, { samples }]) => ({ name, seconds: (samples.at(-1)?.ageMs ?? 0) / 1_000 }));
  }

  /** The greatest share of a core that a process used over one whole minute, by name. */
  busiest(): { readonly name: string; readonly share: number } | undefined {
    const shares = [...this.#lives].flatMap(([name, { samples }]) =>
      perMinute(samples).flatMap((minute) => {
        const [first, last] = [minute[0], minute.at(-1)];
        if (!first || !last || last.ageMs - first.ageMs < MINUTE_MS / 2) return [];
        return [{ name, share: ((last.cpuSeconds - first.cpuSeconds) * 1_000) / (last.ageMs - first.ageMs) }];
      }),
    );
    return shares.toSorted((a, b) => b.share - a.share)[0];
  }

  /** Mean MiB of memory per minute of the run; processes that lived less than a minute are left out. */
  table(): string {
    const rows = [...this.#lives]
      .filter(([, { samples }]) => (samples.at(-1)?.ageMs ?? 0) >= MINUTE_MS)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { samples }]) => [name, ...perMinute(samples).map((minute) => mebibytes(meanRss(minute)))]);
    const minutes = Math.max(0, ...rows.map((row) => row.length - 1));
    const head = ['MiB in minute', ...Array.from({ length: minutes }, (_, i) => String(i + 1))];
    return [head, ...rows]
      .map(([name, ...cells]) => `${name!.padEnd(16)}${cells.map((cell) => cell.padStart(6)).join('')}`)
      .join('\n');
  }
}

function perMinute(samples: readonly Sample[]): Sample[][] {
  const last = Math.floor((samples.at(-1)?.runMs ?? -1) / MINUTE_MS);
  return Array.from({ length: last + 1 }, (_, minute) =>
    samples.filter(({ runMs }) => Math.floor(runMs / MINUTE_MS) === minute),
  );
}

function meanRss(samples: readonly Sample[]): number {
  return samples.reduce((total, { rssBytes }) => total + rssBytes, 0) / samples.length;
}

export function mebibytes(bytes: number): string {
  return Number.isNaN(bytes) ? '' : (bytes / MIB).toFixed(0);
}

/** Undefined where there is no /proc, or no such process. */
function read(pid: number): Pick<Sample, 'rssBytes' | 'cpuSeconds'> | undefined {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
    return { rssBytes: pages * PAGE_BYTES, cpuSeconds };
  } catch {
    return undefined;
  }
}

/** Processes that this one started and that have not ended; empty where there is no /proc. */
export function childrenOf(pid: number, allPids: readonly number[]): number[] {
  return allPids.filter((child) => {
    try {
      return Number(readFileSync(`/proc/${child}/stat`, 'utf8').split(') ')[1]!.split(' ')[1]) === pid;
    } catch {
      return false;
    }
  });
}
