/**
 * The ledger's scripts: one atomic operation per .lua file, called by digest. A server that does not know a script
 * (restarted, failed over) answers NOSCRIPT; the same arguments then go with its text, which also makes it known.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import type { ScriptCall } from './commit-encoding.ts';
import { redisErrorCode } from './redis-error.ts';

export interface Script {
  readonly text: string;
  readonly sha1: string;
}

export const openScript = load('open.lua');
export const commitScript = load('commit.lua');
export const advanceScript = load('advance.lua');
export const openJobScript = load('job-open.lua');
export const forgetScript = load('forget.lua');
export const sweepScript = load('sweep.lua');
export const dropRowsScript = load('drop-rows.lua');

function load(file: string): Script {
  const text = readFileSync(new URL(file, import.meta.url), 'utf8');
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}

/** Every script answers with an array. Rejects with what ioredis rejects with. */
export async function callScript(client: Redis, script: Script, { keys, args }: ScriptCall): Promise<unknown[]> {
  const rest = [keys.length, ...keys, ...args];
  try {
    return (await client.call('EVALSHA', [script.sha1, ...rest])) as unknown[];
  } catch (error) {
    if (redisErrorCode(error) !== 'NOSCRIPT') throw error;
    return (await client.call('EVAL', [script.text, ...rest])) as unknown[];
  }
}
