/**
 * What the demo sees of the fleet, from outside: lease rows, the ledger, and each process's /metrics. Counters of a
 * worker that ended are kept at their last value, so that what it did is not forgotten with it.
 */

import type { Lease } from '../lease/lease.ts';
import type { LeaseStore } from '../lease/lease-store.ts';
import { checkpointPosition } from '../lease/position.ts';
import type { LedgerReader, LedgerRow } from '../ledger/ledger.ts';
import { type FleetCounts, fleetCountsOf } from '../pipelines/fleet-counts.ts';
import type { Pipeline } from '../pipelines/pipeline.ts';
import { isRetryable } from '../runtime/backoff.ts';
import type { LocalFleet, Member } from './fleet.ts';
import { type Sample, scrape, sum } from './scrape.ts';

export interface Sight {
  readonly leases: readonly Lease[];
  readonly counts: FleetCounts;
  /** Lag in seconds by shard id, as its owner reports it. */
  readonly lagByShard: ReadonlyMap<string, number>;
  readonly handoffs: number;
  readonly takeovers: number;
  readonly replayed: number;
}

export class Observer {
  readonly #fleet: LocalFleet;
  readonly #leases: LeaseStore;
  readonly #ledger: LedgerReader;
  readonly #pipeline: Pipeline;
  readonly #slots: number;
  readonly #last = new Map<string, readonly Sample[]>();

  constructor(fleet: LocalFleet, leases: LeaseStore, ledger: LedgerReader, pipeline: Pipeline, slots: number) {
    this.#fleet = fleet;
    this.#leases = leases;
    this.#ledger = ledger;
    this.#pipeline = pipeline;
    this.#slots = slots;
  }

  async look(): Promise<Sight> {
    const members = [...this.#fleet.controllers, ...this.#fleet.workers];
    const [leases, counts] = await Promise.all([
      this.leases(),
      this.counts(),
      ...members.map((member) => this.scrape(member)),
    ]);
    return {
      leases: leases.toSorted((a, b) => (a.shardId < b.shardId ? -1 : 1)),
      counts,
      lagByShard: this.lags(),
      handoffs: this.#total('kinesis_fleet_handoffs_total'),
      takeovers: this.#total('kinesis_fleet_takeovers_total'),
      replayed: this.#total('kinesis_fleet_records_replayed_total'),
    };
  }

  /** All lease rows; none while the table is not there yet or does not answer. */
  async leases(): Promise<readonly Lease[]> {
    try {
      return await this.#leases.readAll();
    } catch (error) {
      if (!isRetryable(error)) throw error;
      return [];
    }
  }

  /** Lag in seconds by shard id, as of the last scrape of its owner. */
  lags(): ReadonlyMap<string, number> {
    const lags = new Map<string, number>();
    for (const worker of this.#fleet.workers) {
      for (const sample of this.#last.get(worker.name) ?? []) {
        if (sample.name === 'kinesis_fleet_shard_lag_seconds') lags.set(sample.labels.shard ?? '', sample.value);
      }
    }
    return lags;
  }

  async counts(): Promise<FleetCounts> {
    return fleetCountsOf(this.#pipeline, await this.#ledger.totals());
  }

  /** Keeps the process's current figures; also to be called right before a process is stopped. */
  async scrape(member: Member): Promise<void> {
    const samples = await scrape(member.httpUrl);
    if (samples) this.#last.set(member.name, samples);
  }

  /** Shards of a worker whose ledger row is past the checkpoint: what its successor has to replay. */
  async shardsAboveCheckpoint(owned: readonly Lease[]): Promise<string[]> {
    const rows: ReadonlyMap<string, LedgerRow>[] = [];
    for (let slot = 0; slot < this.#slots; slot++) rows.push(await this.#ledger.rows(slot));
    const above: string[] = [];
    for (const { key } of owned) {
      const lease = await this.#leases.read(key);
      if (!lease) continue;
      const checkpoint = checkpointPosition(lease.checkpoint);
      if (rows.some((slot) => (slot.get(key)?.position ?? '') > checkpoint)) above.push(lease.shardId);
    }
    return above;
  }

  #total(name: string): number {
    return [...this.#last.values()].reduce((total, samples) => total + sum(samples, name), 0);
  }
}
