/** The CLI finds a fleet by the same settings as its processes do. */
import { SHARED_SETTINGS } from '../lease/config.ts';
import { type Environment, readSettings, type SettingsOf } from '../runtime/env.ts';
import { WORKER_SETTINGS } from '../worker/config.ts';

const { redisUrl, redisCa, redisCert, redisKey } = SHARED_SETTINGS;
const { fleet, pipeline, pipelinesDir, slots, horizonHours, expectedIdentities } = SHARED_SETTINGS;
const { deadLetterStream } = WORKER_SETTINGS;
const CLI_SETTINGS = {
  ...{ redisUrl, redisCa, redisCert, redisKey },
  ...{ fleet, pipeline, pipelinesDir, slots, horizonHours, expectedIdentities },
  ...{ deadLetterStream },
};

export type CliSettings = SettingsOf<typeof CLI_SETTINGS>;

/** @throws StartRefused with every fault. */
export function readCliSettings(environment: Environment = process.env): CliSettings {
  return readSettings(CLI_SETTINGS, environment);
}
