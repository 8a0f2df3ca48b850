/**
 * The worker pods as they were last seen, and which life of its container each worker belongs to: a worker's id names
 * its pod, not its container. A worker is bound to the life that runs when it is first seen; where that is not clear
 * (another worker of this pod was bound to it: kubelet may lag behind a restart) it is bound later, and until then
 * heartbeat and presence decide alone. Keyed by UID: a pod of the same name is another pod.
 */
import type { PodPlace, PodVerdict } from '../cluster.ts';
import { type ContainerLife, isOver, isSameLife, type WorkerPod } from './worker-pod.ts';

/** Kubelet reports a restart within about a second: a life that is still there after this is the worker's own. */
const CLEAR_AFTER_MS = 5_000;
/** Zombies of force-deleted pods register again for some seconds at most. */
const MAX_DELETED = 1_000;

interface Binding {
  readonly firstSeenMs: number;
  readonly life: ContainerLife | undefined;
}

export class PodRoster {
  readonly #pods = new Map<string, WorkerPod>();
  readonly #deleted = new Set<string>();
  /** Pods that were ready once: a new one is not asked to be, its worker says when it can work. */
  readonly #wereReady = new Set<string>();
  /** Of the pod that was made last: a rollout makes no others, and neither does its undoing. */
  #newestTemplate: string | undefined;
  readonly #bindings = new Map<string, Binding>();
  /** By pod: who was bound last, kept when that worker is forgotten, which may be long before kubelet looks. */
  readonly #lastBound = new Map<string, { readonly id: string; readonly life: ContainerLife }>();

  /** All pods there are; who was known and is missing was deleted. True when a verdict may have changed. */
  replaceAll(pods: readonly WorkerPod[]): boolean {
    const listed = new Set(pods.map((pod) => pod.workerPrefix));
    let isNews = false;
    for (const pod of [...this.#pods.values()]) {
      if (!listed.has(pod.workerPrefix)) isNews = this.remove(pod) || isNews;
    }
    for (const pod of pods) isNews = this.put(pod) || isNews;
    return isNews;
  }

  /** True when a verdict may have changed. */
  put(pod: WorkerPod): boolean {
    const before = this.#pods.get(pod.workerPrefix);
    this.#pods.set(pod.workerPrefix, pod);
    if (pod.isReady) this.#wereReady.add(pod.workerPrefix);
    if (!before) this.#findNewest();
    const isNewly = (now: boolean, was: boolean | undefined): boolean => now && was !== true;
    return (
      isNewly(pod.hasEnded, before?.hasEnded) ||
      isNewly(pod.isLeaving, before?.isLeaving) ||
      (before?.container?.state === 'running' && isOver(before.container, pod.container))
    );
  }

  /** Deleted is no proof of death (a forced deletion shows before the process ends), but fenced it may be acted on. */
  remove(pod: WorkerPod): boolean {
    this.#pods.delete(pod.workerPrefix);
    this.#lastBound.delete(pod.workerPrefix);
    this.#wereReady.delete(pod.workerPrefix);
    this.#findNewest();
    this.#deleted.add(pod.workerPrefix);
    for (const oldest of this.#deleted) {
      if (this.#deleted.size <= MAX_DELETED) break;
      this.#deleted.delete(oldest);
    }
    return true;
  }

  pods(): readonly WorkerPod[] {
    return [...this.#pods.values()];
  }

  /** Undefined for a worker of no pod that is known. */
  placeOf(workerId: string): PodPlace | undefined {
    const prefix = prefixOf(workerId);
    const pod = this.#pods.get(prefix);
    return (
      pod && {
        zone: pod.zone,
        isUnready: !pod.isReady && this.#wereReady.has(prefix),
        isOutdated: pod.template !== undefined && pod.template !== this.#newestTemplate,
      }
    );
  }

  /** All workers that are known are asked about at once: others are forgotten. */
  judge(workerIds: readonly string[], nowMs: number): ReadonlyMap<string, PodVerdict> {
    const asked = new Set(workerIds);
    for (const id of this.#bindings.keys()) if (!asked.has(id)) this.#bindings.delete(id);
    const verdicts = new Map<string, PodVerdict>();
    for (const id of workerIds) {
      const verdict = this.#verdictOf(id, nowMs);
      if (verdict) verdicts.set(id, verdict);
    }
    return verdicts;
  }

  #findNewest(): void {
    let newest: WorkerPod | undefined;
    for (const pod of this.#pods.values()) if (!newest || pod.createdMs > newest.createdMs) newest = pod;
    this.#newestTemplate = newest?.template;
  }

  #verdictOf(id: string, nowMs: number): PodVerdict | undefined {
    const prefix = prefixOf(id);
    const pod = this.#pods.get(prefix);
    if (!pod) return this.#deleted.has(prefix) ? 'ended' : undefined;
    if (pod.hasEnded) return 'ended';
    const { life } = this.#bind(id, pod, nowMs);
    if (life && isOver(life, pod.container)) return 'ended';
    return pod.isLeaving ? 'leaving' : undefined;
  }

  #bind(id: string, { workerPrefix, container }: WorkerPod, nowMs: number): Binding {
    const known = this.#bindings.get(id) ?? { firstSeenMs: nowMs, life: undefined };
    let binding = known;
    if (!known.life && container?.state === 'running') {
      const isOld = nowMs - known.firstSeenMs >= CLEAR_AFTER_MS;
      const last = this.#lastBound.get(workerPrefix);
      const isOthers = last !== undefined && last.id !== id && isSameLife(last.life, container);
      if (isOld || !isOthers) {
        binding = { ...known, life: container };
        this.#lastBound.set(workerPrefix, { id, life: container });
      }
    }
    this.#bindings.set(id, binding);
    return binding;
  }
}

/** A worker's id ends with a nonce that has no hyphen. */
function prefixOf(workerId: string): string {
  return workerId.slice(0, workerId.lastIndexOf('-') + 1);
}
