/**
 * The worker's /metrics, /livez and /readyz. Live: every shard loop makes progress; waiting for Redis or AWS is
 * progress. Ready: everything was fine once since the start and the worker has joined; sticky until SIGTERM, so that a
 * blip of Redis does not unready a fleet.
 */
import { type HttpEndpoint, serveHttp } from '../runtime/http.ts';
import type { Outside } from './compose.ts';
import { registerWorkerMetrics } from './metrics.ts';
import type { Worker } from './worker.ts';

/** Changed by main as the start goes on. */
export interface WorkerStatus {
  waitingFor: string | undefined;
  worker: Worker | undefined;
}

type MetricsRegistry = Parameters<typeof registerWorkerMetrics>[0];

/** What the pages read. */
export type ServedParts = Pick<Outside, 'counts' | 'budget'> & {
  readonly clockSkew: Pick<Outside['clockSkew'], 'aheadSeconds' | 'condition'>;
  readonly connection: Pick<Outside['connection'], 'isReady'>;
};

/** @throws StartRefused when the port is taken. */
export function serveWorker(
  port: number,
  registry: MetricsRegistry,
  { counts, budget, clockSkew, connection }: ServedParts,
  status: WorkerStatus,
  stopping: AbortSignal,
): Promise<HttpEndpoint> {
  let hasJoined: boolean = false;
  registerWorkerMetrics(registry, () => ({
    counts,
    shards: status.worker?.shards ?? [],
    budgetUsedBytes: budget.usedBytes,
    clockAheadSeconds: clockSkew.aheadSeconds,
  }));
  return serveHttp(port, {
    metrics: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
    live: () => {
      const stalled = status.worker?.stalled ?? [];
      return { ok: stalled.length === 0, details: { stalled } };
    },
    ready: () => {
      hasJoined ||= status.worker?.id !== undefined;
      const { worker, waitingFor } = status;
      const conditions = worker?.shards.flatMap(({ shardId, condition }) => (condition ? { shardId, condition } : []));
      return {
        ok: hasJoined && !stopping.aborted,
        details: {
          waitingFor,
          worker: worker?.id,
          redis: connection.isReady(),
          shards: worker?.shards.length,
          conditions,
          ...clockSkew.condition,
        },
      };
    },
  });
}
