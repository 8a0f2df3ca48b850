/**
 * Who serves which hash slots of a Redis Cluster, as one of its nodes sees it (CLUSTER SLOTS: known from 6.2 to 8, and to
 * Valkey). Pure. Another node may see it otherwise for a while.
 */
import type { RedisHost } from './target.ts';

export interface SlotRange {
  readonly from: number;
  readonly to: number;
  readonly primary: RedisHost;
  readonly replicas: readonly RedisHost[];
}

/** @param asked the node that answered: it leaves its own host empty when it does not know it. */
export function parseSlotMap(answer: unknown, asked: RedisHost): SlotRange[] {
  if (!Array.isArray(answer)) return [];
  return answer.flatMap((range: unknown) => {
    if (!Array.isArray(range)) return [];
    const [from, to, first, ...others] = range as [unknown, unknown, unknown, ...unknown[]];
    const primary = hostOf(first, asked);
    const replicas = others.map((node) => hostOf(node, asked)).filter((node) => node !== undefined);
    return primary ? [{ from: Number(from), to: Number(to), primary, replicas }] : [];
  });
}

export function primaryOf(ranges: readonly SlotRange[], slot: number): RedisHost | undefined {
  return ranges.find(({ from, to }) => from <= slot && slot <= to)?.primary;
}

/** Every node once; primaries first. */
export function nodesOf(ranges: readonly SlotRange[]): { readonly primaries: RedisHost[]; readonly all: RedisHost[] } {
  const distinct = (hosts: readonly RedisHost[]): RedisHost[] => [
    ...new Map(hosts.map((host) => [`${host.host}:${host.port}`, host])).values(),
  ];
  const primaries = distinct(ranges.map(({ primary }) => primary));
  return { primaries, all: distinct([...primaries, ...ranges.flatMap(({ replicas }) => replicas)]) };
}

function hostOf(node: unknown, asked: RedisHost): RedisHost | undefined {
  if (!Array.isArray(node)) return undefined;
  const [name, port] = node as [unknown, unknown];
  const host = typeof name === 'string' && name !== '' && name !== '?' ? name : asked.host;
  return Number(port) > 0 ? { host, port: Number(port) } : undefined;
}
