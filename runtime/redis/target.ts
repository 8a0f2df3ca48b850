/**
 * Which Redis is meant, from one URL: a single server (or whatever stands behind its address), the primary that
 * Sentinels watch, or a Cluster. Pure. Nothing that is thrown or shown repeats a password.
 */

export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

export interface RedisCredentials {
  /** undefined = the default user. */
  readonly user: string | undefined;
  readonly password: string | undefined;
}

export interface RedisTarget extends RedisCredentials {
  /** What the hosts are: the server itself, Sentinels, or some nodes of a Cluster. */
  readonly kind: 'server' | 'sentinel' | 'cluster';
  readonly hosts: readonly RedisHost[];
  readonly isTls: boolean;
  readonly database: number;
  /** Name by which the Sentinels know the primary; '' for the other kinds. */
  readonly master: string;
  /** Sentinels have users and passwords of their own, or none. */
  readonly sentinel: RedisCredentials;
  /** For log lines: without users and passwords. */
  readonly text: string;
}

/** Beside the URL: PEM texts. */
export interface RedisTls {
  /** Who signed the server's certificate; undefined = the authorities that Node knows. */
  readonly ca: string | undefined;
  /** What the server asks of its clients, if it does. */
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** What every process needs to reach its Redis. */
export interface RedisAddress {
  readonly url: string;
  readonly tls?: RedisTls;
}

export const REDIS_URL_FORMS =
  'redis://host:6379, redis+sentinel://host:26379,host:26379/master or redis+cluster://host:6379,host:6379, ' +
  'each with user:password@ before the hosts if needed, and rediss for TLS';

const PORTS = { server: 6379, sentinel: 26_379, cluster: 6379 } as const;
const NOBODY: RedisCredentials = { user: undefined, password: undefined };
const FORM =
  /^redis(?<tls>s?)(?:\+(?<kind>sentinel|cluster))?:\/\/(?<authority>[^/?#]+)(?<path>\/[^?#]*)?(?:\?(?<query>[^#]*))?$/;

/** @throws Error whose message completes "REDIS_URL ..." */
export function parseRedisUrl(url: string): RedisTarget {
  const { tls, kind = 'server', authority, path = '', query = '' } = FORM.exec(url)?.groups ?? {};
  if (authority === undefined) throw new Error(`must look like ${REDIS_URL_FORMS}`);
  const known = kind as RedisTarget['kind'];
  const at = authority.lastIndexOf('@');
  const hosts = authority
    .slice(at + 1)
    .split(',')
    .map((text) => parseHost(text, PORTS[known]));
  if (known === 'server' && hosts.length > 1) {
    throw new Error('names several hosts: redis+sentinel:// or redis+cluster:// says what they are');
  }
  const { master, database } = parsePath(known, path);
  return {
    kind: known,
    hosts,
    isTls: tls === 's',
    ...credentials(at < 0 ? '' : authority.slice(0, at)),
    ...{ master, database },
    sentinel: parseQuery(known, query),
    text: url.replace(/\/\/.*@/, '//').replace(/\?.*$/, ''),
  };
}

function parseHost(text: string, fallback: number): RedisHost {
  const { v6, name, port } =
    /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<name>[^\s:@[\]{}]+))(?::(?<port>\d+))?$/.exec(text)?.groups ?? {};
  const host = v6 ?? name;
  const number = port === undefined ? fallback : Number(port);
  if (host === undefined || number < 1 || number > 65_535)
    throw new Error('has a host that is none, or a port that is none');
  return { host, port: number };
}

function credentials(text: string): RedisCredentials {
  if (text === '') return NOBODY;
  const colon = text.indexOf(':');
  const [user, password] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
  if (password === '') throw new Error('names a user, but no password: user:password@host, or :password@host');
  return { user: decoded(user) || undefined, password: decoded(password) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error('has a % in its user or password that stands for nothing: write it as %25');
  }
}

function parsePath(kind: RedisTarget['kind'], path: string): Pick<RedisTarget, 'master' | 'database'> {
  const parts = path.split('/').slice(1);
  if (parts.at(-1) === '') parts.pop();
  const master = kind === 'sentinel' ? decoded(parts.shift() ?? '') : '';
  if (kind === 'sentinel' && master === '') throw new Error('names no master: redis+sentinel://host:26379/mymaster');
  const database = Number(parts[0] ?? 0);
  if (parts.length > 1 || !Number.isInteger(database) || database < 0) {
    throw new Error('may end only in the number of a database, as in /0');
  }
  if (kind === 'cluster' && database !== 0) throw new Error('names a database: a Redis Cluster has only 0');
  return { master, database };
}

function parseQuery(kind: RedisTarget['kind'], query: string): RedisCredentials {
  if (query === '') return NOBODY;
  const given = new URLSearchParams(query);
  const unknown = [...given.keys()].filter((key) => !['sentinel_user', 'sentinel_password'].includes(key));
  if (kind !== 'sentinel' || unknown.length > 0) {
    throw new Error('has a parameter that nobody knows: only sentinel_user and sentinel_password of redis+sentinel://');
  }
  return { user: given.get('sentinel_user') ?? undefined, password: given.get('sentinel_password') ?? undefined };
}
