/**
 * What the processes of a fleet say, kept beyond the end of their pods: every container of the fleet is followed from
 * its first line on, a restarted one anew. Pods are watched, not asked for again and again: on a small cluster the
 * asking itself would be in the figures.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type ClusterFleet, RELEASE } from './cluster-fleet.ts';

/** One JSON log line; `time` in milliseconds since 1970 by the clock of its node. */
export interface LogLine {
  readonly time: number;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** One pod as its last event showed it. */
interface SeenPod {
  readonly name: string;
  readonly component: string;
  /** No deletion has begun. */
  readonly stays: boolean;
  readonly isReady: boolean;
}

const COMPONENTS = `app.kubernetes.io/instance=${RELEASE},app.kubernetes.io/component in (worker,controller)`;
const COLUMNS = [
  '.type',
  '.object.metadata.uid',
  '.object.metadata.name',
  '.object.metadata.labels.app\\.kubernetes\\.io/component',
  '.object.metadata.deletionTimestamp',
  '.object.status.containerStatuses[0].restartCount',
  '.object.status.containerStatuses[0].state.running.startedAt',
  '.object.status.conditions[?(@.type=="Ready")].status',
];

export class GapLogs {
  readonly lines: LogLine[] = [];
  readonly #namespace: string;
  readonly #pods = new Map<string, SeenPod>();
  readonly #children = new Map<string, ChildProcess>();
  /** By text, when a line of it was heard last. */
  readonly #heardMs = new Map<string, number>();

  constructor(fleet: ClusterFleet) {
    this.#namespace = fleet.namespace;
    const output = `jsonpath=${COLUMNS.map((column) => `{${column}}`).join('{"|"}')}{"\\n"}`;
    const watch = ['get', 'pods', '--selector', COMPONENTS, '--watch', '--output-watch-events', '--output', output];
    this.#start('watch', watch, (line) => this.#sawPod(line));
  }

  /** Since a line with this text was heard last; infinite when there was none. */
  sinceLastMs(message: string): number {
    return performance.now() - (this.#heardMs.get(message) ?? Number.NEGATIVE_INFINITY);
  }

  /** Worker pods, and how many of them are ready and stay. */
  workers(): { readonly all: number; readonly ready: number } {
    const workers = [...this.#pods.values()].filter(({ component }) => component === 'worker');
    return { all: workers.length, ready: workers.filter(({ stays, isReady }) => stays && isReady).length };
  }

  stop(): void {
    for (const child of this.#children.values()) child.kill();
  }

  #start(name: string, args: readonly string[], onLine: (line: string) => void): void {
    const child = spawn('kubectl', ['--namespace', this.#namespace, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#children.set(name, child);
    createInterface({ input: child.stdout }).on('line', onLine);
  }

  #sawPod(line: string): void {
    const [type, uid = '', name = '', component = '', deleted, restarts, startedAt, ready] = line.split('|');
    if (type === 'DELETED') this.#pods.delete(uid);
    else this.#pods.set(uid, { name, component, stays: deleted === '', isReady: ready === 'True' });
    const life = `${uid} ${restarts}`;
    if (startedAt === '' || this.#children.has(life)) return;
    this.#start(life, ['logs', '--follow', name], (said) => this.#hear(said));
  }

  #hear(line: string): void {
    if (!line.startsWith('{')) return;
    const said = JSON.parse(line) as LogLine;
    this.lines.push(said);
    this.#heardMs.set(said.message, performance.now());
  }
}
