/**
 * Three Sentinels over a primary and two replicas, all of them real: they, and not the drill, decide who is the primary.
 * The fleet knows only the Sentinels.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Child } from '../../../local/child.ts';
import { freePort } from '../../../local/free-port.ts';
import { systemClock } from '../../../runtime/clock.ts';
import type { RedisFault, Surroundings } from './drill.ts';
import { until } from './drilled-fleet.ts';
import { RedisNode } from './redis-node.ts';

const SENTINELS = 3;
const REPLICAS = 2;
const DOWN_AFTER_MS = 500;
const READY_MS = 20_000;
const OUTAGE_MS = 400;
const MASTER = 'drilled';

class Sentinel {
  readonly port: number;
  readonly child: Child;

  constructor(port: number, dir: string, primary: number) {
    this.port = port;
    const file = join(dir, `sentinel-${port}.conf`);
    writeFileSync(
      file,
      [
        ...[`port ${port}`, 'bind 127.0.0.1', `dir ${dir}`, `sentinel monitor ${MASTER} 127.0.0.1 ${primary} 2`],
        ...[`sentinel down-after-milliseconds ${MASTER} ${DOWN_AFTER_MS}`, `sentinel failover-timeout ${MASTER} 4000`],
        '',
      ].join('\n'),
    );
    this.child = new Child({
      name: 'sentinel',
      command: 'redis-server',
      args: [file, '--sentinel'],
      clock: systemClock,
    });
  }

  async ask(...words: [string, ...string[]]): Promise<unknown> {
    const client = new Redis(this.port, '127.0.0.1', { maxRetriesPerRequest: 2, enableReadyCheck: false });
    client.on('error', () => undefined);
    try {
      return await client.call('SENTINEL', words);
    } finally {
      client.disconnect();
    }
  }
}

/** The Sentinels of a drill, and whom they name. */
class Watch {
  readonly nodes: readonly RedisNode[];
  readonly sentinels: readonly Sentinel[];

  constructor(nodes: readonly RedisNode[], sentinels: readonly Sentinel[]) {
    this.nodes = nodes;
    this.sentinels = sentinels;
  }

  get url(): string {
    return `redis+sentinel://${this.sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${MASTER}`;
  }

  async primaryPort(): Promise<number> {
    const [, port] = (await this.sentinels[0]!.ask('GET-MASTER-ADDR-BY-NAME', MASTER)) as [string, string];
    return Number(port);
  }

  /** Until every Sentinel knows the others and both replicas, which have all there is. */
  async isWhole(): Promise<boolean> {
    const seen = await Promise.all(
      this.sentinels.map(async (sentinel) => {
        const fields = (await sentinel.ask('MASTER', MASTER)) as string[];
        const value = (name: string): number => Number(fields[fields.indexOf(name) + 1]);
        return value('num-slaves') === REPLICAS && value('num-other-sentinels') === SENTINELS - 1;
      }),
    );
    return seen.every(Boolean);
  }
}

const watches = new WeakMap<RedisNode, Watch>();

async function surround({ node, others, endings }: Surroundings): Promise<string> {
  for (let i = 0; i < REPLICAS; i++) {
    others.push(await new RedisNode().start(['--replicaof', '127.0.0.1', String(node.port)]));
  }
  const sentinels: Sentinel[] = [];
  endings.push(async () => {
    for (const { child } of sentinels) await child.stop(1_000);
  });
  for (let i = 0; i < SENTINELS; i++) sentinels.push(new Sentinel(await freePort(), node.dir, node.port));
  await Promise.all(
    sentinels.map(({ child }) => child.waitForLine((line) => (/\+monitor/.test(line) ? true : undefined), READY_MS)),
  );
  const watch = new Watch([node, ...others], sentinels);
  watches.set(node, watch);
  await until('sentinels that know everybody', () => watch.isWhole());
  for (const replica of others) await until('a replica', () => isLinked(replica));
  return watch.url;
}

async function isLinked(replica: RedisNode): Promise<boolean> {
  return /master_link_status:up/.test(await replica.ask((client) => client.info('replication')));
}

async function untilAnother(node: RedisNode): Promise<void> {
  const watch = watches.get(node)!;
  await until('another primary', async () => (await watch.primaryPort()) !== node.port);
}

/** Since the mark no replica gets anything more: it cannot log in at its primary again. */
async function holdReplicasBack({ node, others }: Surroundings): Promise<void> {
  for (const replica of others) await replica.ask((client) => client.config('SET', 'masterauth', 'nobody-knows-it'));
  await node.ask((client) => client.call('CLIENT', 'KILL', 'TYPE', 'replica'));
}

const kill: RedisFault = {
  name: 'Sentinel failover, kill -9 of the primary',
  losesSettled: false,
  surround,
  strike: async ({ node }) => {
    await node.kill();
    await untilAnother(node);
    // It comes back as what it was, and is made a replica.
    await node.start();
    await until('a deposed primary', async () =>
      /role:slave/.test(await node.ask((client) => client.info('replication'))),
    );
  },
};

const frozen: RedisFault = {
  name: 'Sentinel failover, SIGSTOP of the primary, which wakes up again',
  // It takes writes until a Sentinel makes it a replica, which may be longer than a drill's short settling.
  losesSettled: 'perhaps',
  surround,
  strike: async ({ node }) => {
    node.signal('SIGSTOP');
    await untilAnother(node);
    await sleep(OUTAGE_MS);
    node.signal('SIGCONT');
  },
};

const lagging: RedisFault = {
  name: 'Sentinel failover to a replica that lags',
  losesSettled: true,
  surround,
  mark: holdReplicasBack,
  strike: async ({ node }) => {
    await node.kill();
    await untilAnother(node);
  },
};

const command: RedisFault = {
  // Nobody stops the old primary before the Sentinels have told everybody of the new one.
  name: 'SENTINEL FAILOVER by hand, under load',
  losesSettled: 'perhaps',
  surround,
  strike: async ({ node }) => {
    await watches.get(node)!.sentinels[0]!.ask('FAILOVER', MASTER);
    await untilAnother(node);
  },
};

export const SENTINEL_FAULTS: readonly RedisFault[] = [kill, frozen, lagging, command];
