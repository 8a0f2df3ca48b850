/**
 * Settings that controller and worker share: which stream, which fleet, which ledger, how long a lease lasts. Each
 * process adds its own in its config.ts and parses all together (runtime/env.ts), so that all faults show at once.
 */
import { readFileSync } from 'node:fs';
import { choice, flag, integer, optionalText, type Setting, text } from '../runtime/env.ts';
import { LOG_LEVELS } from '../runtime/logger.ts';
import { parseRedisUrl, type RedisAddress } from '../runtime/redis/target.ts';

const redisUrl: Setting<string> = {
  variable: 'REDIS_URL',
  fallback: 'redis://127.0.0.1:6379',
  description:
    'Redis of the ledger and of the hints: redis://host:6379, redis+sentinel://host:26379,…/master or redis+cluster://host:6379,…; rediss for TLS',
  parse(given) {
    parseRedisUrl(given);
    return given;
  },
};

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
  redisUrl,
  redisCa: pemFile(
    'REDIS_CA_FILE',
    "PEM file of the authorities that signed Redis's certificate; default: those that Node knows",
  ),
  redisCert: pemFile(
    'REDIS_CERT_FILE',
    'PEM file of the certificate that Redis asks of its clients, with REDIS_KEY_FILE',
  ),
  redisKey: pemFile('REDIS_KEY_FILE', 'PEM file of the key of REDIS_CERT_FILE'),
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

interface RedisSettings {
  readonly redisUrl: string;
  readonly redisCa: string | undefined;
  readonly redisCert: string | undefined;
  readonly redisKey: string | undefined;
}

/** How to reach the fleet's Redis. */
export function redisAddressOf({ redisUrl, redisCa, redisCert, redisKey }: RedisSettings): RedisAddress {
  return { url: redisUrl, tls: { ca: redisCa, cert: redisCert, key: redisKey } };
}

/** Read once, at the start: a renewed file needs a restart. Its text is the setting. */
function pemFile(variable: string, description: string): Setting<string | undefined> {
  return {
    variable,
    fallback: '',
    description,
    parse(given) {
      if (given === '') return undefined;
      try {
        const read = readFileSync(given, 'utf8');
        if (read.includes('-----BEGIN ')) return read;
      } catch {
        throw new Error('must be a file that can be read');
      }
      throw new Error('must be a file in PEM form');
    },
  };
}

/** Rules over the shared settings; each answers with the fault, or undefined. */
export const SHARED_RULES = [
  (settings: { readonly heartbeatMs: number; readonly leaseDurationMs: number }): string | undefined =>
    settings.heartbeatMs * 3 <= settings.leaseDurationMs
      ? undefined
      : `HEARTBEAT_MS must be at most a third of LEASE_DURATION_MS, but ${settings.heartbeatMs} * 3 > ${settings.leaseDurationMs}`,
  ({ redisUrl: given, redisCa, redisCert, redisKey }: RedisSettings): string | undefined =>
    (redisCa ?? redisCert ?? redisKey) === undefined || parseRedisUrl(given).isTls
      ? undefined
      : 'REDIS_CA_FILE, REDIS_CERT_FILE and REDIS_KEY_FILE are of TLS, but REDIS_URL is not: it must begin with rediss',
  ({ redisCert, redisKey }: RedisSettings): string | undefined =>
    (redisCert === undefined) === (redisKey === undefined)
      ? undefined
      : 'REDIS_CERT_FILE and REDIS_KEY_FILE belong together, but one of them is missing',
] as const;
