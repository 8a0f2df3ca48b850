/**
 * A fleet on a cluster under observation: its ledger's rows every 10 ms, and what its processes log. Together they tell
 * each change of owner, how long the shard's rows stood still over it, and where that time went.
 */
import { loadavg } from 'node:os';
import { until } from './cluster-command.ts';
import type { ClusterFleet } from './cluster-fleet.ts';
import { type RedisAccess, reachRedis } from './cluster-redis.ts';
import { GapLogs } from './gap-logs.ts';
import { type Change, explain } from './gap-phases.ts';
import { GapSampler } from './gap-sampler.ts';
import { figuresOf } from './gap-table.ts';

/** No lease was moved for this long, and every row moves: whatever was asked for is over. */
const QUIET_MS = 2_000;
const MOVING_WITHIN_MS = 1_000;

export class GapWatch {
  readonly logs: GapLogs;
  readonly sampler: GapSampler;
  readonly #access: RedisAccess;

  private constructor(logs: GapLogs, access: RedisAccess, sampler: GapSampler) {
    this.logs = logs;
    this.#access = access;
    this.sampler = sampler;
  }

  static async start(fleet: ClusterFleet): Promise<GapWatch> {
    const access = await reachRedis(fleet);
    const logs = new GapLogs(fleet);
    try {
      return new GapWatch(logs, access, await GapSampler.start(access.redis));
    } catch (error) {
      logs.stop();
      access.forward.kill();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.logs.stop();
    try {
      await this.sampler.stop();
    } finally {
      this.#access.forward.kill();
    }
  }

  changes(kind: Change['kind']): Change[] {
    const explained = this.sampler.gaps.map((gap) => explain(gap, this.logs.lines)).filter((one) => one !== undefined);
    return explained.filter((change) => change.kind === kind);
  }

  /** Does what must move leases, and waits until it is over. */
  async after(act: () => Promise<unknown>, workers: number): Promise<void> {
    const startedMs = performance.now();
    await act();
    await until('leases moved', 60_000, async () => {
      return this.logs.sinceLastMs('lease moved') < performance.now() - startedMs || undefined;
    });
    await this.untilQuiet(workers);
  }

  /** Until there are exactly so many workers, all ready, and nothing moves but records. Asks nothing of the fleet. */
  async untilQuiet(workers: number): Promise<void> {
    await until(`${workers} workers and quiet`, 120_000, async () => {
      const { all, ready } = this.logs.workers();
      if (all !== workers || ready !== workers) throw new Error(`${ready} of ${all} workers are ready`);
      const standing = this.sampler.standing(MOVING_WITHIN_MS);
      if (standing.length > 0) throw new Error(`standing still: ${standing.join(', ')}`);
      return this.logs.sinceLastMs('lease moved') > QUIET_MS || undefined;
    });
  }

  /** How well it was measured. */
  conditions(): string {
    const { median, max } = figuresOf(this.sampler.spacingsMs);
    const load = loadavg().map((average) => average.toFixed(1));
    return `  sampled every ${median.toFixed(0)} ms (at most ${max.toFixed(0)}), load average ${load.join(' ')}`;
  }
}
