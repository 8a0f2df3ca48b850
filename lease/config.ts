/**
 * Settings that controller and worker share: which stream, which fleet, which ledger, how long a lease lasts. Each
 * process adds its own in its config.ts and parses all together (runtime/env.ts), so that all faults show at once.
 */
import { choice, flag, integer, optionalText, text, url } from '../runtime/env.ts';
import { LOG_LEVELS } from '../runtime/logger.ts';

export const SHARED_SETTINGS = {
  stream: text(
    'STREAM',
    undefined,
    'Kinesis stream to consume: its name or ARN',
    /^(arn:aws[^:]*:kinesis:[^:]+:\d{12}:stream\/)?[a-zA-Z0-9_.-]{1,128}$/,
  ),
  fleet: text(
    'FLEET',
    'kinesis-fleet',
    'name of the fleet: of its DynamoDB table, and of its keys in Redis',
    /^[a-zA-Z0-9_.-]{3,255}$/,
  ),
  createTable: flag('FLEET_TABLE_CREATE', 'true', 'create the fleet table at start when it is missing'),
  redisUrl: url('REDIS_URL', 'redis://127.0.0.1:6379', ['redis', 'rediss'], 'Redis of the ledger and of the hints'),
  pipeline: text(
    'PIPELINE',
    'logins',
    'pipeline to run: the name of a file in the pipelines folder, without .yaml',
    /^[a-z0-9][a-z0-9-]*$/,
  ),
  pipelinesDir: optionalText('PIPELINES_DIR', 'folder of pipeline files; default: the one that comes with the program'),
  signals: choice('SIGNALS', 'on', ['on', 'off'], 'wake-ups and presence over Redis; off = everything works, slower'),
  slots: integer('SLOTS', '1', { min: 1, max: 64 }, 'hash-tagged slots of the ledger; more only for Redis Cluster'),
  horizonHours: integer(
    'HORIZON_HOURS',
    '24',
    { min: 1, max: 8760 },
    'copies of an identity that arrive within it are always recognised',
  ),
  expectedIdentities: integer(
    'EXPECTED_IDENTITIES',
    '1000000',
    { min: 1, max: 100_000_000_000 },
    'identities expected per period (two horizons), all slots',
  ),
  settleMs: integer(
    'SETTLE_MS',
    '2000',
    { min: 0, max: 60_000 },
    'age at which a ledger write counts as safe; at least the longest tail that Redis may lose',
  ),
  heartbeatMs: integer('HEARTBEAT_MS', '1000', { min: 50, max: 60_000 }, 'a worker proves that it lives this often'),
  leaseDurationMs: integer(
    'LEASE_DURATION_MS',
    '10000',
    { min: 500, max: 600_000 },
    'a worker without an answered heartbeat for this long stops by itself',
  ),
  httpPort: integer(
    'HTTP_PORT',
    '8080',
    { min: 0, max: 65_535 },
    'port of /metrics, /livez and /readyz; 0 = any free port',
  ),
  clockOffsetMs: integer(
    'CLOCK_OFFSET_MS',
    '0',
    { min: -86_400_000, max: 86_400_000 },
    "added to this process's wall clock, for drills: no two hosts' clocks are ever compared",
  ),
  logLevel: choice('LOG_LEVEL', 'info', LOG_LEVELS, 'least level of log lines'),
} as const;

/** Rules over the shared settings; each answers with the fault, or undefined. */
export const SHARED_RULES = [
  (settings: { readonly heartbeatMs: number; readonly leaseDurationMs: number }): string | undefined =>
    settings.heartbeatMs * 3 <= settings.leaseDurationMs
      ? undefined
      : `HEARTBEAT_MS must be at most a third of LEASE_DURATION_MS, but ${settings.heartbeatMs} * 3 > ${settings.leaseDurationMs}`,
] as const;
