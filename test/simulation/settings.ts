/** The size and the pace of a world, drawn from its seed: everything is quick, so that seconds show what hours would. */
import { FORGET_SLACK_MS, type LedgerSpec } from '../../ledger/ledger.ts';
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
  /** The longest tail that Redis loses; settle where it loses no more than it may. */
  readonly longestTailMs: number;
  /** Does Redis lose whole slots? */
  readonly losesSlots: boolean;
  /** Mean time between two leaps over the forgetting of identities; undefined = there are none. */
  readonly leapEveryMs: number | undefined;
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
  LEDGER_AUDIT_MS: '1000',
  KUBERNETES: 'off',
};

/** Short, so that the border between two periods is crossed while copies are on both sides of it. */
const HORIZON_MS = 120_000;
const PERIOD_MS = 2 * HORIZON_MS;
const BORDER_AFTER_MS = 7_000;

const CHANCE_OF_LONG_TAILS = 0.35;

/** What makes identities forgettable: arrivals are beyond their period, a horizon, and the slack that production adds. */
export const LEAP_MS = PERIOD_MS + HORIZON_MS + FORGET_SLACK_MS;

/** True wall time at the beginning of every run. */
export const WALL_START_MS = Math.ceil(Date.UTC(2026, 10, 21) / PERIOD_MS) * PERIOD_MS - BORDER_AFTER_MS;

export function drawSettings(random: SeededRandom): WorldSettings {
  const slots = random.pick([1, 1, 2, 3]);
  const settleMs = random.pick([300, 500, 800]);
  const isHarsh = random.chance(CHANCE_OF_LONG_TAILS);
  return {
    shards: 1 + random.int(4),
    workers: 2 + random.int(3),
    controllers: 1 + random.int(2),
    settleMs,
    checkpointMs: random.pick([200, 500, 1_000]),
    bufferRecords: random.pick([1, 10, 100]),
    bufferMs: random.pick([0, 50, 200]),
    pollIntervalMs: random.pick([100, 250]),
    hasSignals: random.chance(0.7),
    faultsMs: 8_000 + random.int(10_000),
    recordEveryMs: 20 + random.int(100),
    longestTailMs: isHarsh ? 3 * settleMs + random.int(6_000) : settleMs,
    losesSlots: isHarsh && random.chance(0.4),
    leapEveryMs: random.chance(0.5) ? 3_000 + random.int(6_000) : undefined,
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
