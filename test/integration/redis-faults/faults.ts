/** The faults of one Redis and of a primary with a replica. Each ends as the protocol promises. */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { findDefects, type Mending, mend } from '../../../ledger/mending.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { FaultProxy } from '../../chaos/fault-proxy.ts';
import { tokenOf } from '../../support/ledger-builder.ts';
import type { Lab, RedisFault } from './drill.ts';
import { until } from './drilled-fleet.ts';
import { RedisNode } from './redis-node.ts';

const OUTAGE_MS = 400;

const cutFile: RedisFault = {
  name: 'kill -9, and the append-only file ends at an earlier command',
  losesSettled: true,
  mark: async ({ node }) => node.appendOnlyBytes(),
  strike: async ({ node }, bytes) => {
    await node.kill();
    node.cutAppendOnlyFile(bytes as number);
    await node.start();
  },
};

const olderSnapshot: RedisFault = {
  name: 'kill -9, and an older snapshot',
  losesSettled: true,
  mark: ({ node }) => node.keepSnapshot(),
  strike: async ({ node }) => {
    await node.kill();
    node.restoreSnapshot();
    await node.start(['--appendonly', 'no']);
  },
};

const restart: RedisFault = {
  name: 'kill -9 alone: nothing is lost',
  losesSettled: false,
  strike: async ({ node }) => {
    await node.kill();
    await sleep(OUTAGE_MS);
    await node.start();
  },
};

/** A replica whose link stands still since the mark: it is behind by all that came after. */
async function laggingReplica({ node, others, endings }: Lab): Promise<{ replica: RedisNode; link: FaultProxy }> {
  const link = new FaultProxy(`redis://127.0.0.1:${node.port}`, systemClock);
  await link.start();
  endings.push(() => link.stop());
  const replica = await new RedisNode().start(['--replicaof', '127.0.0.1', new URL(link.url).port]);
  others.push(replica);
  await until('a replica', async () =>
    /master_link_status:up/.test(await replica.ask((client) => client.info('replication'))),
  );
  link.begin({ kind: 'blackHole', of: 'everything' });
  return { replica, link };
}

const promote = (replica: RedisNode): Promise<unknown> =>
  replica.ask((client) => client.call('REPLICAOF', 'NO', 'ONE'));

const laggingFailover: RedisFault = {
  name: 'failover to a replica that lags',
  losesSettled: true,
  mark: laggingReplica,
  strike: async ({ node, front }, marked) => {
    const { replica, link } = marked as Awaited<ReturnType<typeof laggingReplica>>;
    await node.kill();
    link.reset();
    await promote(replica);
    front.leadTo(replica.port);
  },
};

const frozenPrimary: RedisFault = {
  name: 'SIGSTOP of the primary while a replica is promoted',
  losesSettled: true,
  mark: laggingReplica,
  strike: async ({ node, front, endings }, marked) => {
    const { replica, link } = marked as Awaited<ReturnType<typeof laggingReplica>>;
    node.signal('SIGSTOP');
    link.reset();
    await promote(replica);
    front.leadTo(replica.port);
    // It wakes up as a primary that nobody asks any more.
    const woken = sleep(OUTAGE_MS).then(() => node.signal('SIGCONT'));
    endings.push(() => woken);
  },
};

const scriptFlush: RedisFault = {
  name: 'SCRIPT FLUSH',
  losesSettled: false,
  strike: async ({ node }) => {
    for (let i = 0; i < 10; i++) {
      await node.ask((client) => client.script('FLUSH'));
      await sleep(OUTAGE_MS / 10);
    }
  },
};

const flushAll = (mending: Mending): RedisFault => ({
  name: `FLUSHALL, then ${mending}`,
  losesSettled: true,
  strike: async ({ node, fleet }) => {
    await node.ask((client) => client.flushall());
    await until(
      'halted shards',
      () => fleet.conditions.filter((condition) => condition === 'LedgerSlotLost').length === 2,
    );
    const leases = [...fleet.rows.values()];
    for (const defect of await findDefects(fleet.ledger, fleet.spec, leases)) {
      await mend(fleet.ledger, fleet.rows.get(defect.leaseKey)!, defect, mending, tokenOf(1));
    }
  },
});

const outOfMemory: RedisFault = {
  name: 'maxmemory reached',
  losesSettled: false,
  strike: async ({ node }) => {
    await node.ask((client) => client.config('SET', 'maxmemory', '1mb'));
    await sleep(OUTAGE_MS);
    await node.ask((client) => client.config('SET', 'maxmemory', '0'));
  },
};

const fullDisk: RedisFault = {
  name: 'full disk',
  losesSettled: false,
  strike: async ({ node }) => {
    const limit = (bytes: string) => execFileSync('prlimit', ['--pid', String(node.pid), `--fsize=${bytes}:unlimited`]);
    limit(String(node.appendOnlyBytes()));
    await until('MISCONF', async () => {
      const answer = await node.ask((client) => client.set('probe', '1').catch((error: Error) => error.message));
      return answer.startsWith('MISCONF');
    });
    await sleep(OUTAGE_MS);
    limit('unlimited');
  },
};

const slow: RedisFault = {
  name: '500 ms of latency',
  losesSettled: false,
  strike: async ({ proxy }) => {
    const lift = proxy.begin({ kind: 'delay', ms: 250 });
    await sleep(4 * OUTAGE_MS);
    lift();
  },
};

const cutAnswers: RedisFault = {
  name: "connections reset in the middle of a script's answer",
  losesSettled: false,
  strike: async ({ proxy }) => {
    const lift = proxy.begin({ kind: 'cutAnswers', every: 7 });
    await sleep(4 * OUTAGE_MS);
    lift();
  },
};

export const REDIS_FAULTS: readonly RedisFault[] = [
  ...[cutFile, olderSnapshot, restart, laggingFailover, frozenPrimary, scriptFlush, flushAll('rewind')],
  ...[outOfMemory, fullDisk, slow, cutAnswers],
];

/** One of each kind: a tail that is lost, a zombie, a server that refuses, a cut answer. */
export const QUICK_FAULTS: readonly RedisFault[] = [cutFile, frozenPrimary, outOfMemory, cutAnswers];
