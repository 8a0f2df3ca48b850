/**
 * Every setting of the worker, declared once: parsed here, explained by --help, listed in the README.
 */
import { hostname } from 'node:os';
import { SHARED_RULES, SHARED_SETTINGS } from '../lease/config.ts';
import { choice, type Environment, integer, optionalText, readSettings, type SettingsOf } from '../runtime/env.ts';

export const WORKER_SETTINGS = {
  ...SHARED_SETTINGS,
  workerName: optionalText('WORKER_NAME', "first part of the worker's id: the pod's name; default: the host's name"),
  podUid: optionalText('POD_UID', "second part of the worker's id: the pod's UID"),
  zone: optionalText(
    'ZONE',
    "zone that the worker runs in; default: its pod's label topology.kubernetes.io/zone, else all are in one",
  ),
  capacity: integer(
    'CAPACITY',
    '100',
    { min: 1, max: 10_000 },
    'how much this worker should have beside others, in percent of an ordinary one',
  ),
  bufferRecords: integer(
    'BUFFER_RECORDS',
    '100',
    { min: 1, max: 1_000 },
    'records that are committed together at once; more when behind, never more than 1000',
  ),
  bufferMs: integer('BUFFER_MS', '200', { min: 0, max: 60_000 }, 'a record waits this long at most for others'),
  pollIntervalMs: integer(
    'POLL_INTERVAL_MS',
    '250',
    { min: 50, max: 60_000 },
    'a caught-up shard is read this often; Kinesis allows 5 reads per second and shard',
  ),
  checkpointMs: integer(
    'CHECKPOINT_MS',
    '5000',
    { min: 50, max: 600_000 },
    'a shard that moved is checkpointed this often',
  ),
  byteBudgetMib: integer(
    'BYTE_BUDGET_MIB',
    '0',
    { min: 0, max: 65_536 },
    'MiB of records read and not yet done with; 0 = a quarter of the memory limit',
  ),
  deadLetterMaxMib: integer(
    'DEAD_LETTER_MAX_MIB',
    '256',
    { min: 16, max: 65_536 },
    'MiB of dead letters kept in Redis, what Redis keeps beside each included',
  ),
  deadLetterFull: choice(
    'DEAD_LETTER_FULL',
    'drop-oldest',
    ['drop-oldest', 'wait'],
    'when they reach that bound: the oldest make room, counted; or shards with further ones wait until there is room',
  ),
  deadLetterStream: optionalText(
    'DEAD_LETTER_STREAM',
    'Kinesis stream to keep dead letters in, name or ARN; default: they are kept in Redis',
  ),
  shutdownMs: integer(
    'SHUTDOWN_MS',
    '80000',
    { min: 1_000, max: 3_600_000 },
    'time to hand over all leases after SIGTERM; they are freed after half of it, or at once when nobody could take them. Less than the grace period of the pod',
  ),
} as const;

export type WorkerSettings = SettingsOf<typeof WORKER_SETTINGS> & {
  /** WORKER_NAME or the host's name. */
  readonly name: string;
};

/** @throws StartRefused with every fault. */
export function readWorkerSettings(environment: Environment = process.env): WorkerSettings {
  const settings = readSettings(WORKER_SETTINGS, environment, SHARED_RULES);
  return { ...settings, name: settings.workerName ?? hostname() };
}
