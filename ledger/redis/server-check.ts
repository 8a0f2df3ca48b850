/**
 * What the ledger must know of its Redis before a start: eviction would forget identities without a word, so anything
 * but `noeviction` is refused. All primaries are asked: one that evicts is enough. Managed servers forbid CONFIG and
 * small ones leave fields out, so INFO is read first and what nobody tells is a warning, not a refusal.
 */
import type { Redis } from 'ioredis';
import type { LedgerConnection } from './connection.ts';
import { redisErrorCode } from './redis-error.ts';
import { evictionRefusal, parseInfo, type ServerFacts, versionRefusal, weakestOf } from './server-facts.ts';

/** @throws StartRefused with how to mend it; LedgerUnavailable when Redis does not answer. */
export async function checkServer(connection: LedgerConnection): Promise<ServerFacts> {
  await connection.ready();
  const all = await connection.callPrimaries(readFacts);
  for (const { version, evictionPolicy } of all) {
    const refusal = versionRefusal(version) ?? evictionRefusal(evictionPolicy);
    if (refusal) throw refusal;
  }
  return weakestOf(all);
}

async function readFacts(client: Redis): Promise<ServerFacts> {
  const info = parseInfo(await client.info());
  return {
    version: info.get('redis_version'),
    role: info.get('role'),
    evictionPolicy: info.get('maxmemory_policy') ?? (await setting(client, 'maxmemory-policy')),
    appendFsync: info.get('aof_enabled') === '0' ? 'off' : await setting(client, 'appendfsync'),
    fsyncsDuringRewrite: (await setting(client, 'no-appendfsync-on-rewrite')) === 'no',
    replicas: numberOf(info.get('connected_slaves')),
    minReplicas: numberOf(await setting(client, 'min-replicas-to-write')),
    minReplicasMaxLagSeconds: numberOf(await setting(client, 'min-replicas-max-lag')),
  };
}

/** undefined when the server knows no such setting or forbids the question. */
async function setting(client: Redis, name: string): Promise<string | undefined> {
  try {
    const answer = (await client.call('CONFIG', 'GET', name)) as string[];
    return answer[1];
  } catch (error) {
    if (redisErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}
