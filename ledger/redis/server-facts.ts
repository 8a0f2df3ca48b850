/**
 * What INFO tells of a Redis, and whether the ledger may be kept there. Pure. Asked at each new connection, for a
 * failover may lead to a server that is set otherwise than the one before.
 */
import { StartRefused } from '../../runtime/errors.ts';

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
/** From the least durable to the most. */
const DURABILITY = ['off', 'no', 'everysec', 'always'];

export function parseInfo(text: string): ReadonlyMap<string, string> {
  return new Map(
    text
      .split(/\r?\n/)
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)] as const),
  );
}

/** Why the ledger must not be kept there, and how to mend it. @param isNamed the URL names this very server. */
export function refusalOf(info: ReadonlyMap<string, string>, isNamed: boolean): StartRefused | undefined {
  // Valkey calls it by another name.
  const mode = info.get('redis_mode') ?? info.get('server_mode');
  if (isNamed && mode === 'cluster') {
    return new StartRefused('this Redis is a node of a Cluster: write its URL as redis+cluster://host:6379,host:6379');
  }
  if (mode === 'sentinel') {
    return new StartRefused('this Redis is a Sentinel: write its URL as redis+sentinel://host:26379,host:26379/master');
  }
  return versionRefusal(info.get('redis_version')) ?? evictionRefusal(info.get('maxmemory_policy'));
}

export function versionRefusal(version: string | undefined): StartRefused | undefined {
  if (version === undefined || !isOlder(version)) return undefined;
  return new StartRefused(`Redis ${version} is too old for the ledger: it needs ${OLDEST_VERSION.join('.')} or later`);
}

export function evictionRefusal(evictionPolicy: string | undefined): StartRefused | undefined {
  if (evictionPolicy === undefined || evictionPolicy === 'noeviction') return undefined;
  return new StartRefused(
    `Redis may evict the ledger: maxmemory-policy is ${evictionPolicy}. Set it by ` +
      '`CONFIG SET maxmemory-policy noeviction` and in redis.conf, or in the parameter group of a managed Redis',
    { evictionPolicy },
  );
}

/** Of several primaries what holds for all of them: the weakest of each. @param all not empty. */
export function weakestOf(all: readonly ServerFacts[]): ServerFacts {
  const [first] = all as [ServerFacts];
  const least = (pick: (facts: ServerFacts) => number | undefined, choose: (...values: number[]) => number) => {
    const values = all.map(pick);
    return values.includes(undefined) ? undefined : choose(...(values as number[]));
  };
  return {
    version: first.version,
    role: first.role,
    evictionPolicy: all.some((facts) => facts.evictionPolicy === undefined) ? undefined : first.evictionPolicy,
    appendFsync: leastDurable(all.map((facts) => facts.appendFsync)),
    fsyncsDuringRewrite: all.every((facts) => facts.fsyncsDuringRewrite),
    replicas: least((facts) => facts.replicas, Math.max),
    minReplicas: least((facts) => facts.minReplicas, Math.min),
    minReplicasMaxLagSeconds: least((facts) => facts.minReplicasMaxLagSeconds, Math.max),
  };
}

function leastDurable(told: readonly (string | undefined)[]): string | undefined {
  const weakest = told.reduce((a, b) => (rank(b) < rank(a) ? b : a));
  return weakest === 'always' && told.includes(undefined) ? undefined : weakest;
}

/** What nobody tells of stands above all: one that is known to be weak decides. */
function rank(appendFsync: string | undefined): number {
  return appendFsync === undefined ? DURABILITY.length : DURABILITY.indexOf(appendFsync);
}

function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < OLDEST_VERSION[0] || (major === OLDEST_VERSION[0] && minor < OLDEST_VERSION[1]);
}
