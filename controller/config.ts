/**
 * Every setting of the controller, declared once: parsed here, explained by --help, listed in the README.
 */

import { SHARED_RULES, SHARED_SETTINGS } from '../lease/config.ts';
import { parseIsoTime } from '../runtime/clock.ts';
import { type Environment, integer, readSettings, type Setting, type SettingsOf } from '../runtime/env.ts';

/** Where the first shards of a fleet begin. */
export type InitialPosition =
  | { readonly kind: 'LATEST' }
  | { readonly kind: 'TRIM_HORIZON' }
  | { readonly kind: 'AT_TIMESTAMP'; readonly timestampMs: number };

const initialPosition: Setting<InitialPosition> = {
  variable: 'INITIAL_POSITION',
  fallback: 'LATEST',
  description: 'where the first shards begin: LATEST, TRIM_HORIZON, or an ISO 8601 time; only for a new fleet',
  parse(given) {
    if (given === 'LATEST' || given === 'TRIM_HORIZON') return { kind: given };
    const timestampMs = parseIsoTime(given);
    if (timestampMs === undefined) throw new Error('must be LATEST, TRIM_HORIZON or an ISO 8601 time');
    return { kind: 'AT_TIMESTAMP', timestampMs };
  },
};

export const CONTROLLER_SETTINGS = {
  ...SHARED_SETTINGS,
  initialPosition,
  tickMs: integer(
    'TICK_MS',
    '1000',
    { min: 50, max: 60_000 },
    'the controller compares wanted and seen this often; hints make it look at once',
  ),
  listShardsMs: integer(
    'LIST_SHARDS_MS',
    '30000',
    { min: 500, max: 3_600_000 },
    'the shards of the stream are listed this often, and at once when one ends',
  ),
  leaseScanMs: integer(
    'LEASE_SCAN_MS',
    '30000',
    { min: 500, max: 3_600_000 },
    'all lease rows are read this often; between two scans only those that something waits for',
  ),
  leaseMarginMs: integer(
    'LEASE_MARGIN_MS',
    '1000',
    { min: 0, max: 60_000 },
    'a worker is called dead when it is silent for LEASE_DURATION_MS and this much more',
  ),
  presencePollMs: integer(
    'PRESENCE_POLL_MS',
    '100',
    { min: 20, max: 60_000 },
    'subscriptions of workers are counted this often',
  ),
  presenceGraceMs: integer(
    'PRESENCE_GRACE_MS',
    '200',
    { min: 0, max: 60_000 },
    'a worker whose subscription is gone and whose heartbeat is silent for this long is called dead',
  ),
  handoffDeadlineMs: integer(
    'HANDOFF_DEADLINE_MS',
    '30000',
    { min: 100, max: 600_000 },
    'a planned move that takes longer is forced',
  ),
  leaderLeaseMs: integer(
    'LEADER_LEASE_MS',
    '6000',
    { min: 300, max: 600_000 },
    'another controller leads when the leader is silent for this long',
  ),
  leaderRenewDeadlineMs: integer(
    'LEADER_RENEW_DEADLINE_MS',
    '4000',
    { min: 200, max: 600_000 },
    'a leader that could not renew its right for this long stops acting',
  ),
  leaderRetryMs: integer(
    'LEADER_RETRY_MS',
    '1000',
    { min: 50, max: 60_000 },
    'the leader renews this often, and the others look this often',
  ),
  ledgerReadMs: integer(
    'LEDGER_READ_MS',
    '5000',
    { min: 100, max: 600_000 },
    "the leading controller reads the ledger's totals for /metrics this often",
  ),
} as const;

export type ControllerSettings = SettingsOf<typeof CONTROLLER_SETTINGS>;

const RULES = [
  ...SHARED_RULES,
  (settings: ControllerSettings): string | undefined =>
    settings.leaderRetryMs * 2 <= settings.leaderRenewDeadlineMs &&
    settings.leaderRenewDeadlineMs < settings.leaderLeaseMs
      ? undefined
      : 'LEADER_RETRY_MS * 2 must be at most LEADER_RENEW_DEADLINE_MS, and that less than LEADER_LEASE_MS, but they are ' +
        `${settings.leaderRetryMs}, ${settings.leaderRenewDeadlineMs} and ${settings.leaderLeaseMs}`,
  (settings: ControllerSettings): string | undefined =>
    settings.presenceGraceMs < settings.leaseDurationMs
      ? undefined
      : `PRESENCE_GRACE_MS must be less than LEASE_DURATION_MS, but ${settings.presenceGraceMs} >= ${settings.leaseDurationMs}`,
];

/** @throws StartRefused with every fault. */
export function readControllerSettings(environment: Environment = process.env): ControllerSettings {
  return readSettings(CONTROLLER_SETTINGS, environment, RULES);
}
