/** The size and the pace of a world, drawn from its seed: everything is quick, so that seconds show what hours would. */
import type { LedgerSpec } from '../../ledger/ledger.ts';
import type { SeededRandom } from '../support/seeded-random.ts';

export interface WorldSettings {
  readonly shards: number;
  readonly workers: number;
  readonly controllers: number;
  readonly settleMs: number;
  readonly checkpointMs: number;
  readonly bufferRecords: number;
  readonly bufferMs: number;
  readonly pollIntervalMs: number;
  readonly hasSignals: boolean;
  /** How long there are faults and records. */
  readonly faultsMs: number;
  readonly recordEveryMs: number;
  readonly spec: LedgerSpec;
}

/** Heartbeats, leases and ticks are those of production, divided by about four. */
export const HEARTBEAT_MS = 300;
export const LEASE_DURATION_MS = 2_000;

export const CONTROLLER_ENVIRONMENT: Readonly<Record<string, string>> = {
  STREAM: 'logins',
  INITIAL_POSITION: 'TRIM_HORIZON',
  HEARTBEAT_MS: String(HEARTBEAT_MS),
  LEASE_DURATION_MS: String(LEASE_DURATION_MS),
  LEASE_MARGIN_MS: '300',
  TICK_MS: '300',
  LIST_SHARDS_MS: '2000',
  LEASE_SCAN_MS: '2500',
  HANDOFF_DEADLINE_MS: '2500',
  LEADER_LEASE_MS: '1800',
  LEADER_RENEW_DEADLINE_MS: '1200',
  LEADER_RETRY_MS: '400',
  LEDGER_READ_MS: '600000',
  KUBERNETES: 'off',
};

/** Short, so that the border between two periods is crossed while copies are on both sides of it. */
const HORIZON_MS = 120_000;
const PERIOD_MS = 2 * HORIZON_MS;
const BORDER_AFTER_MS = 7_000;

/** True wall time at the beginning of every run. */
export const WALL_START_MS = Math.ceil(Date.UTC(2026, 10, 21) / PERIOD_MS) * PERIOD_MS - BORDER_AFTER_MS;

export function drawSettings(random: SeededRandom): WorldSettings {
  const slots = random.pick([1, 1, 2, 3]);
  return {
    shards: 1 + random.int(4),
    workers: 2 + random.int(3),
    controllers: 1 + random.int(2),
    settleMs: random.pick([300, 500, 800]),
    checkpointMs: random.pick([200, 500, 1_000]),
    bufferRecords: random.pick([1, 10, 100]),
    bufferMs: random.pick([0, 50, 200]),
    pollIntervalMs: random.pick([100, 250]),
    hasSignals: random.chance(0.7),
    faultsMs: 8_000 + random.int(10_000),
    recordEveryMs: 20 + random.int(100),
    spec: {
      name: 'fleet.simulated0001',
      slots,
      horizonMs: HORIZON_MS,
      periodMs: PERIOD_MS,
      bucketBy: 'time',
      expectedIdentitiesPerSlot: 1_000,
    },
  };
}
