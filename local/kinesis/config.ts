/**
 * Settings of the local Kinesis process: a flag, else its environment variable, else the default. `--max-bytes` is
 * LOCAL_KINESIS_MAX_BYTES, and so on. All faults are reported together. Neighbour: main.ts.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { DEFAULT_SETTINGS, type LocalKinesisOptions } from './server.ts';

const SETTINGS = z.object({
  port: z.coerce.number().int().min(0).max(65_535).default(0),
  host: z.string().default('127.0.0.1'),
  region: z.string().default(DEFAULT_SETTINGS.region),
  'account-id': z
    .string()
    .regex(/^\d{12}$/)
    .default(DEFAULT_SETTINGS.accountId),
  'transition-ms': z.coerce.number().min(0).default(DEFAULT_SETTINGS.transitionMs),
  'max-bytes': z.coerce.number().int().min(1).default(DEFAULT_SETTINGS.maxBytes),
  'shard-limit': z.coerce.number().int().min(1).default(DEFAULT_SETTINGS.shardLimit),
  'enforce-limits': z.stringbool().default(DEFAULT_SETTINGS.enforceLimits),
  seed: z.coerce.number().int().default(1),
  'tls-key': z.string().optional(),
  'tls-cert': z.string().optional(),
});

/** Throws an Error that names every wrong setting. */
export function readConfig(args: readonly string[], env: NodeJS.ProcessEnv): LocalKinesisOptions {
  const names = Object.keys(SETTINGS.shape);
  const { values } = parseArgs({
    args: [...args],
    options: Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
  });
  const raw = Object.fromEntries(names.map((name) => [name, values[name] ?? env[variableOf(name)]]));
  const result = SETTINGS.safeParse(raw);
  if (!result.success) throw new Error(z.prettifyError(result.error));
  const { 'tls-key': keyFile, 'tls-cert': certFile, ...settings } = result.data;
  if (Boolean(keyFile) !== Boolean(certFile)) throw new Error('tls-key and tls-cert come together');
  return {
    port: settings.port,
    host: settings.host,
    region: settings.region,
    accountId: settings['account-id'],
    transitionMs: settings['transition-ms'],
    maxBytes: settings['max-bytes'],
    shardLimit: settings['shard-limit'],
    enforceLimits: settings['enforce-limits'],
    seed: settings.seed,
    ...(keyFile && certFile && { tls: { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8') } }),
  };
}

function variableOf(name: string): string {
  return `LOCAL_KINESIS_${name.replaceAll('-', '_').toUpperCase()}`;
}
