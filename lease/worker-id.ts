/**
 * Names of workers: pod (or host) name, pod UID, and a nonce per registration. Two processes never share one, not
 * even two with the same pod name; a controller tells by the prefix which pod a worker is.
 */
import { randomBytes } from 'node:crypto';

/** Begins the id of every worker that runs in this pod; without a UID (no Kubernetes), on this host. */
export function workerIdPrefix(name: string, podUid?: string): string {
  return podUid === undefined || podUid === '' ? `${name}-` : `${name}-${podUid}-`;
}

/** A source of ids, a new one at each call. */
export function createWorkerIds(name: string, podUid?: string): () => string {
  return () => `${workerIdPrefix(name, podUid)}${randomBytes(6).toString('hex')}`;
}
