/**
 * A fleet in a namespace of its own on a real cluster, installed as a user would: by deploy/kind/fleet.sh. What it
 * counted is asked of the fleet's own CLI; the truth is what the producer Job says it stored.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FleetCounts } from '../../pipelines/fleet-counts.ts';
import { CHART } from './chart-values.ts';
import { type CommandOptions, run, until } from './cluster-command.ts';
import { ROOT } from './source-tree.ts';

export const RELEASE = 'kinesis-fleet';
const KIND = join(ROOT, 'deploy/kind');
const STREAM = 'logins';
/** More records than any case waits for. */
const ENDLESS = 10_000_000;

export interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly nodeName: string; readonly containers: readonly { readonly image: string }[] };
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

/** A row of `kinesis-fleet status --json`. */
export interface ShardStatus {
  readonly shard: string;
  readonly state: string;
  readonly owner: string;
  readonly generation: number;
}

export class ClusterFleet {
  readonly namespace: string;
  readonly shards: number;
  readonly #images: { readonly IMAGE: string; readonly LOCAL_IMAGE: string };

  constructor(name: string, shards: number) {
    this.namespace = `kf-e2e-${name}-${process.pid}`;
    this.shards = shards;
    this.#images = { IMAGE: required('IMAGE'), LOCAL_IMAGE: required('LOCAL_IMAGE') };
    required('KUBECONFIG');
  }

  /** Local AWS, stream, Redis, fleet and `helm test`. Gives what was printed. */
  install(...helmOptions: readonly string[]): Promise<string> {
    return run(join(KIND, 'fleet.sh'), ['--', ...helmOptions], {
      env: {
        ...this.#images,
        ...{ NAMESPACE: this.namespace, RELEASE, STREAM, SHARDS: String(this.shards), RECORDS: '0', MONITOR: 'none' },
      },
      timeoutMs: 300_000,
    });
  }

  /**
   * The namespace, and a release whose surroundings are missing: no Kinesis, no DynamoDB, no Redis, no stream. Waits for
   * nothing.
   */
  async installBare(): Promise<void> {
    await run('kubectl', ['create', 'namespace', this.namespace]);
    await run('kubectl', ['label', 'namespace', this.namespace, 'pod-security.kubernetes.io/enforce=restricted']);
    await this.apply('local-aws.yaml');
    await this.kubectl(['scale', 'deployment/local-aws', '--replicas=0']);
    await this.#untilGone('app=local-aws');
    const [repository = '', tag = ''] = this.#images.IMAGE.split(/:(?=[^/]+$)/);
    const image = ['--set', `stream=${STREAM},image.repository=${repository}`, '--set-string', `image.tag=${tag}`];
    await this.helm('install', RELEASE, CHART, '--values', join(KIND, 'values.yaml'), ...image);
    await this.scaleRedis(0);
    await this.#untilGone('app.kubernetes.io/component=redis');
  }

  /** No pod of this label is left: what is on its way out may still answer. */
  async #untilGone(selector: string): Promise<void> {
    await until(`no pod ${selector}`, 60_000, async () => {
      const names = await this.kubectl(['get', 'pods', '--selector', selector, '--output', 'name']);
      return names === '' || undefined;
    });
  }

  /** One of deploy/kind's manifests with its variables filled in. */
  async apply(manifest: string, more: Readonly<Record<string, number>> = {}): Promise<void> {
    const values: Record<string, string | number> = { ...this.#images, STREAM, SHARDS: this.shards, ...more };
    const text = readFileSync(join(KIND, 'manifests', manifest), 'utf8');
    const input = text.replace(/\$\{(\w+)\}/g, (_, name: string) => String(values[name]));
    await this.kubectl(['apply', '--filename', '-'], { input });
  }

  /** In the fleet's namespace. Gives what was printed. */
  helm(...args: readonly string[]): Promise<string> {
    return run('helm', [...args, '--namespace', this.namespace], { timeoutMs: 320_000 });
  }

  /** Changes settings of the running release and waits for the rollout. */
  upgrade(...helmOptions: readonly string[]): Promise<string> {
    return this.helm('upgrade', RELEASE, CHART, '--reuse-values', '--wait', '--timeout', '300s', ...helmOptions);
  }

  uninstall(): Promise<string> {
    return this.helm('uninstall', RELEASE, '--wait', '--timeout', '120s');
  }

  kubectl(args: readonly string[], options?: CommandOptions): Promise<string> {
    return run('kubectl', ['--namespace', this.namespace, ...args], options);
  }

  /** By name, those that are being deleted included. */
  async pods(component: 'worker' | 'controller'): Promise<Pod[]> {
    const selector = `app.kubernetes.io/instance=${RELEASE},app.kubernetes.io/component=${component}`;
    const list = await this.kubectl(['get', 'pods', '--selector', selector, '--output', 'json']);
    return (JSON.parse(list) as { items: Pod[] }).items;
  }

  /** A command of the CLI, in a ready controller pod. */
  async #cli<T>(command: string): Promise<T> {
    const pod = (await this.pods('controller')).find(isReady);
    if (!pod) throw new Error('no controller pod is ready');
    const exec = ['exec', pod.metadata.name, '--container', 'controller', '--', 'kinesis-fleet', command, '--json'];
    return JSON.parse(await this.kubectl(exec)) as T;
  }

  counts(): Promise<FleetCounts> {
    return this.#cli('counts');
  }

  status(): Promise<ShardStatus[]> {
    return this.#cli('status');
  }

  async replicas(): Promise<number> {
    const flags = ['get', `deployment/${RELEASE}-worker`, '--output', 'jsonpath={.spec.replicas}'];
    return Number(await this.kubectl(flags));
  }

  async scale(replicas: number): Promise<void> {
    await this.kubectl(['scale', `deployment/${RELEASE}-worker`, `--replicas=${replicas}`]);
  }

  async scaleRedis(replicas: 0 | 1): Promise<void> {
    await this.kubectl(['scale', `statefulset/${RELEASE}-redis`, `--replicas=${replicas}`]);
  }

  /**
   * Waits until there are exactly so many worker pods, all ready, and they hold every shard between them with no worker
   * idle that could have one. Gives the shards.
   */
  untilBalanced(workers: number, timeoutMs = 90_000): Promise<ShardStatus[]> {
    return until(`${workers} workers with all ${this.shards} shards`, timeoutMs, async () => {
      const pods = await this.pods('worker');
      if (pods.length !== workers || !pods.every(isReady)) throw new Error(`pods: ${pods.map(podText).join(', ')}`);
      const shards = await this.status();
      const owners = pods.filter((pod) => shards.some(({ owner }) => owner.startsWith(`${pod.metadata.name}-`)));
      const held = shards.filter(
        ({ state, owner }) => state === 'held' && pods.some((pod) => owner.startsWith(`${pod.metadata.name}-`)),
      );
      if (held.length === this.shards && owners.length === Math.min(workers, this.shards)) return shards;
      throw new Error(`shards: ${JSON.stringify(shards)}`);
    });
  }

  /** Name of the controller pod that leads. */
  async leader(): Promise<string> {
    const flags = ['get', `lease/${RELEASE}-controller`, '--output', 'jsonpath={.spec.holderIdentity}'];
    return (await this.kubectl(flags)).split('_')[0] ?? '';
  }

  /** Starts the producer Job, and waits for the fleet to have counted something. */
  async startProducer(ratePerSecond: number, records = ENDLESS): Promise<void> {
    await this.apply('producer.yaml', { RECORDS: records, RATE: ratePerSecond });
    await until('the first records counted', 60_000, async () => (await this.counts()).records > 0 || undefined);
  }

  /** Ends the producer in the middle of its work: it finishes its calls and says what it stored. Gives this truth. */
  async stopProducer(): Promise<FleetCounts> {
    await this.kubectl(['exec', 'job/producer', '--', 'node', '--eval', "process.kill(1, 'SIGTERM')"]);
    return this.untilProduced();
  }

  /** Waits for the end of the producer Job. Gives the truth about what it stored. */
  async untilProduced(): Promise<FleetCounts> {
    await until('the producer Job', 120_000, async () => {
      const job = JSON.parse(await this.kubectl(['get', 'job/producer', '--output', 'json'])) as ProducerJob;
      return job.status.succeeded || job.status.failed ? true : undefined;
    });
    const lines = (await this.kubectl(['logs', 'job/producer'])).trim().split('\n');
    const report = JSON.parse(lines.at(-1) ?? '') as { truth?: FleetCounts; ambiguousRecords?: number };
    if (!report.truth || report.ambiguousRecords !== 0) {
      throw new Error(`no exact truth:\n${lines.slice(-5).join('\n')}`);
    }
    return report.truth;
  }

  /**
   * Waits until as many records are counted as the truth has, then a little longer, in which too many would show. Gives
   * the figures as they stand then, or when time is up.
   */
  async untilCounted(truth: FleetCounts, timeoutMs = 60_000): Promise<FleetCounts> {
    const enough = async () => (await this.counts()).records >= truth.records || undefined;
    await until('the last record counted', timeoutMs, enough).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    return this.counts();
  }

  /** What a person would look at when a test has failed. */
  async evidence(): Promise<string> {
    const logs = ['logs', '--selector', `app.kubernetes.io/instance=${RELEASE}`, '--all-containers', '--prefix'];
    const looks = [
      ['get', 'pods', '--output', 'wide'],
      ['get', 'events', '--sort-by', '.lastTimestamp'],
      [...logs, '--tail=10', '--ignore-errors'],
    ];
    const texts = looks.map((look) => this.kubectl(look).catch(String));
    return (await Promise.all(texts)).join('\n');
  }

  /** Deletes the namespace with everything in it, without waiting for drains. */
  async remove(): Promise<void> {
    await run('kubectl', ['delete', 'namespace', this.namespace, '--ignore-not-found', '--wait=false']);
    await this.kubectl(['delete', 'pods', '--all', '--force', '--grace-period=0'], { timeoutMs: 120_000 });
    await run('kubectl', ['wait', '--for=delete', `namespace/${this.namespace}`, '--timeout=120s'], {
      timeoutMs: 130_000,
    });
  }
}

interface ProducerJob {
  readonly status: { readonly succeeded?: number; readonly failed?: number };
}

/** Ready, and not on its way out. */
export function isReady(pod: Pod): boolean {
  const ready = pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  return ready && pod.metadata.deletionTimestamp === undefined;
}

function podText(pod: Pod): string {
  return `${pod.metadata.name} ${isReady(pod) ? 'ready' : pod.status.phase}`;
}

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; test:e2e needs KUBECONFIG, IMAGE and LOCAL_IMAGE`);
  return value;
}
