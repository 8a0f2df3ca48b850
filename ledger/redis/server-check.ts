/**
 * What the ledger must know of its Redis before a start: eviction would forget identities without a word, so anything
 * but `noeviction` is refused. Managed servers forbid CONFIG and small ones leave fields out, so INFO is read first and
 * what nobody tells is a warning, not a refusal.
 */
import type { Redis } from 'ioredis';
import { StartRefused } from '../../runtime/errors.ts';
import type { LedgerConnection } from './connection.ts';
import { redisErrorCode } from './redis-error.ts';

export interface ServerFacts {
  readonly version: string | undefined;
  /** master or slave. */
  readonly role: string | undefined;
  /** undefined = nobody tells: to be warned of. */
  readonly evictionPolicy: string | undefined;
  /** always, everysec, no; off = no append-only file. */
  readonly appendFsync: string | undefined;
  /** False when a rewrite of the append-only file suspends fsync. */
  readonly fsyncsDuringRewrite: boolean;
  /** Connected now; undefined = nobody tells. */
  readonly replicas: number | undefined;
  /** min-replicas-to-write, min-replicas-max-lag; undefined = nobody tells. */
  readonly minReplicas: number | undefined;
  readonly minReplicasMaxLagSeconds: number | undefined;
}

const OLDEST_VERSION = [6, 2] as const;

/** @throws StartRefused with how to mend it; LedgerUnavailable when Redis does not answer. */
export async function checkServer(connection: LedgerConnection): Promise<ServerFacts> {
  await connection.ready();
  const { answer: facts } = await connection.call(readFacts);
  const { version, evictionPolicy } = facts;
  if (version !== undefined && isOlder(version)) {
    throw new StartRefused(`Redis ${version} is too old for the ledger: it needs ${OLDEST_VERSION.join('.')} or later`);
  }
  if (evictionPolicy !== undefined && evictionPolicy !== 'noeviction') {
    throw new StartRefused(
      `Redis may evict the ledger: maxmemory-policy is ${evictionPolicy}. Set it by ` +
        '`CONFIG SET maxmemory-policy noeviction` and in redis.conf, or in the parameter group of a managed Redis',
      { evictionPolicy },
    );
  }
  return facts;
}

async function readFacts(client: Redis): Promise<ServerFacts> {
  const info = new Map(
    (await client.info())
      .split(/\r?\n/)
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)] as const),
  );
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

function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < OLDEST_VERSION[0] || (major === OLDEST_VERSION[0] && minor < OLDEST_VERSION[1]);
}
