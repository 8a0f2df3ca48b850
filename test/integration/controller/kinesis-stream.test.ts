/** The controller's view of a stream over the SDK, against local Kinesis and, for a second opinion, kinesalite. */
import { CreateStreamCommand, SplitShardCommand } from '@aws-sdk/client-kinesis';
import { describe, expect, it, vi } from 'vitest';
import { KinesisStream } from '../../../controller/kinesis/kinesis-stream.ts';
import { StreamUnavailable } from '../../../controller/stream-source.ts';
import { startLocalKinesis } from '../../../local/kinesis/server.ts';
import { systemClock as clock } from '../../../runtime/clock.ts';
import { clientOf, startServer } from '../../contract/kinesis/kinesis-servers.ts';

const signal = new AbortController().signal;
const WAIT = { timeout: 20_000, interval: 20 };

async function untilActive(source: KinesisStream): Promise<void> {
  await vi.waitFor(async () => expect(await source.describe(signal)).not.toBe('missing'), WAIT);
}

describe.each(['local', 'kinesalite'] as const)('a stream on %s', (name) => {
  it('is missing until it is there, then has an identity, and shows parents and children of a split', async () => {
    const server = await startServer(name);
    const source = new KinesisStream({ stream: 'logins', clock, client: server.client });
    try {
      expect(await source.describe(signal)).toBe('missing');
      expect(await source.list(signal, undefined)).toBe('missing');
      await server.client.send(new CreateStreamCommand({ StreamName: 'logins', ShardCount: 2 }));
      await untilActive(source);
      const description = await source.describe(signal);
      if (description === 'missing') throw new Error('it was there');
      expect(description.arn).toMatch(/^arn:aws:kinesis:us-east-1:\d{12}:stream\/logins$/);
      expect(Math.abs(description.creationEpochSeconds - clock.wallMs() / 1_000)).toBeLessThan(10);

      const shardId = 'shardId-000000000000';
      await server.client.send(
        new SplitShardCommand({ StreamName: 'logins', ShardToSplit: shardId, NewStartingHashKey: '10' }),
      );
      await vi.waitFor(async () => {
        const listing = await source.list(signal, undefined);
        if (listing === 'missing') throw new Error('it was there');
        expect(Math.abs(listing.listedAtMs - clock.wallMs())).toBeLessThan(3_000);
        const [parent, other, ...children] = listing.shards;
        expect([parent?.isClosed, other?.isClosed]).toEqual([true, false]);
        expect(children.map((child) => child.parents)).toEqual([[shardId], [shardId]]);
        expect(children[0]).toMatchObject({ isClosed: false, startingHashKey: '0', endingHashKey: '9' });
      }, WAIT);
    } finally {
      source.close();
      await server.stop();
    }
  });
});

describe('a stream on local Kinesis', () => {
  it('is listed over all pages, by its ARN too, with the shards that were open at a time', async () => {
    const kinesis = await startLocalKinesis({ transitionMs: 1 });
    const client = clientOf(kinesis.url);
    const byName = new KinesisStream({ stream: 'wide', clock, client });
    try {
      await client.send(new CreateStreamCommand({ StreamName: 'wide', ShardCount: 1_200 }));
      await untilActive(byName);
      const beforeMs = clock.wallMs();
      await clock.sleep(20);
      await client.send(
        new SplitShardCommand({ StreamName: 'wide', ShardToSplit: 'shardId-000000000000', NewStartingHashKey: '10' }),
      );
      await untilActive(byName);
      const description = await byName.describe(signal);
      if (description === 'missing') throw new Error('it was there');
      const byArn = new KinesisStream({ stream: description.arn, clock, client });
      expect(await byArn.describe(signal)).toEqual(description);
      const listing = await byArn.list(signal, beforeMs);
      if (listing === 'missing') throw new Error('it was there');
      expect(new Set(listing.shards.map((shard) => shard.shardId)).size).toBe(1_202);
      expect(new Set(listing.openAtStart).size).toBe(1_200);
      expect(listing.openAtStart).toContain('shardId-000000000000');
    } finally {
      byName.close();
      await kinesis.close();
    }
  });

  it('begins its listing again when a page token expired half-way', async () => {
    const kinesis = await startLocalKinesis({ transitionMs: 1 });
    const client = clientOf(kinesis.url);
    const source = new KinesisStream({ stream: 'wide', clock, client });
    try {
      await client.send(new CreateStreamCommand({ StreamName: 'wide', ShardCount: 1_100 }));
      await untilActive(source);
      const effect = { kind: 'error', name: 'ExpiredNextTokenException', message: 'injected' } as const;
      kinesis.faults.add({ operation: 'ListShards', effect, phase: 'before', rate: 1, remaining: 1 });
      const listing = await source.list(signal, undefined);
      expect(listing === 'missing' ? 0 : listing.shards.length).toBe(1_100);
    } finally {
      source.close();
      await kinesis.close();
    }
  });

  it('that hangs is unavailable after a deadline, never missing', async () => {
    const kinesis = await startLocalKinesis();
    const source = new KinesisStream({ stream: 'logins', clock, client: clientOf(kinesis.url) });
    try {
      kinesis.faults.add({ operation: 'ListShards', effect: { kind: 'hang' }, phase: 'before', rate: 1, remaining: 1 });
      await expect(source.list(AbortSignal.timeout(100), undefined)).rejects.toBeInstanceOf(StreamUnavailable);
    } finally {
      source.close();
      await kinesis.close();
    }
  });
});
