/**
 * Faults injected through the control endpoint, as the SDK meets them; and the server as a process of its own. The
 * rules' logic is in test/unit/local/kinesis/faults.test.ts.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:https';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { KinesisClient, ListStreamsCommand } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LocalKinesis, startLocalKinesis } from '../../../local/kinesis/server.ts';
import { clientOf } from './kinesis-servers.ts';
import { errorName, StreamScene, textsOf } from './stream-scene.ts';

describe('the fault injection of the local Kinesis', () => {
  let server: LocalKinesis;
  let scene: StreamScene;

  beforeAll(async () => {
    server = await startLocalKinesis({ transitionMs: 0, enforceLimits: false });
    scene = new StreamScene(clientOf(server.url), 'faults');
  });

  afterAll(async () => {
    scene.client.destroy();
    await server.close();
  });

  afterEach(() => fetch(`${server.url}/_local/faults`, { method: 'DELETE' }));

  async function inject(rule: unknown): Promise<Response> {
    return fetch(`${server.url}/_local/faults`, { method: 'POST', body: JSON.stringify(rule) });
  }

  it('answers as many calls with an error as the rule counts', async () => {
    const name = await scene.stream();
    const iterator = await scene.iterator(name, 'TRIM_HORIZON');
    await inject({ operation: 'GetRecords', error: 'InternalFailureException', count: 2, streamName: name });

    const outcomes = [1, 2, 3].map(() => errorName(scene.read(iterator)));

    expect(await Promise.all(outcomes)).toEqual(['InternalFailureException', 'InternalFailureException', 'accepted']);
  });

  it('spares the shards and streams that a rule does not name', async () => {
    const name = await scene.stream(2);
    const shardIds = ['shardId-000000000000', 'shardId-000000000001'];
    const iterators = await Promise.all(shardIds.map((ShardId) => scene.iterator(name, 'LATEST', { ShardId })));
    await inject({ operation: 'GetRecords', error: 'KMSThrottlingException', streamName: name, shardId: shardIds[1] });

    const outcomes = await Promise.all(iterators.map((iterator) => errorName(scene.read(iterator))));

    expect(outcomes).toEqual(['accepted', 'KMSThrottlingException']);
  });

  it('fails single entries of PutRecords', async () => {
    const name = await scene.stream();
    await inject({ operation: 'PutRecords', entryError: 'InternalFailure', count: 1 });

    const results = await scene.put(name, ['a', 'b']);

    expect(results.map((result) => result.ErrorCode)).toEqual(['InternalFailure', undefined]);
    expect(textsOf(await scene.read(await scene.iterator(name, 'TRIM_HORIZON')))).toEqual(['b']);
  });

  it('carries a write out and loses the answer', async () => {
    const name = await scene.stream();
    await inject({ operation: 'PutRecords', drop: true, phase: 'after', count: 1 });

    const outcome = await errorName(scene.put(name, ['a']));

    expect(outcome).not.toBe('accepted');
    expect(textsOf(await scene.read(await scene.iterator(name, 'TRIM_HORIZON')))).toEqual(['a']);
  });

  it('lets a call hang until the caller gives up', async () => {
    const name = await scene.stream();
    await inject({ operation: 'ListStreams', hang: true });

    const call = scene.client.send(new ListStreamsCommand({}), { abortSignal: AbortSignal.timeout(100) });

    expect(await errorName(call)).toMatch(/AbortError|TimeoutError/);
    expect(await scene.status(name)).toBe('ACTIVE');
  });

  it('delays an answer', async () => {
    await inject({ operation: 'ListStreams', delayMs: 80 });
    const startMs = performance.now();

    await scene.client.send(new ListStreamsCommand({}));

    expect(performance.now() - startMs).toBeGreaterThanOrEqual(75);
  });

  it('expires every iterator handed out so far, and none that follows', async () => {
    const name = await scene.stream();
    const before = await scene.iterator(name, 'TRIM_HORIZON');
    await inject({ expireIterators: true, streamName: name });
    const after = await scene.iterator(name, 'TRIM_HORIZON');

    expect(await errorName(scene.read(before))).toBe('ExpiredIteratorException');
    expect(await errorName(scene.read(after))).toBe('accepted');
  });

  it('refuses a rule without an effect, in words', async () => {
    const response = await inject({ operation: 'GetRecords' });

    expect(response.status).toBe(400);
    expect(await response.text()).toContain('exactly one of');
  });

  it('counts calls, errors, records and bytes', async () => {
    const name = await scene.stream();
    await scene.put(name, ['abc', 'de']);
    await scene.read(await scene.iterator(name, 'TRIM_HORIZON'));

    const stats = (await (await fetch(`${server.url}/_local/stats`)).json()) as Record<string, unknown>;

    const { recordsIn, recordsOut, operations } = server.stats;
    expect(stats).toMatchObject({ operations, recordsIn, recordsOut });
    expect(Math.min(recordsIn, recordsOut)).toBeGreaterThanOrEqual(2);
    expect(stats.bytesHeld).toBeGreaterThan(0);
  });
});

describe('the local Kinesis with a key and a certificate', () => {
  it('speaks TLS', async () => {
    const pair = createRequire(import.meta.url)('kinesis-local/server.json') as {
      server: { key: string; cert: string };
    };
    const server = await startLocalKinesis({ tls: pair.server });
    const client = new KinesisClient({
      endpoint: server.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      requestHandler: new NodeHttpHandler({ httpsAgent: new Agent({ rejectUnauthorized: false }) }),
    });
    try {
      expect(server.url).toMatch(/^https:/);
      expect((await client.send(new ListStreamsCommand({}))).StreamNames).toEqual([]);
    } finally {
      client.destroy();
      await server.close();
    }
  });
});

describe('a request that is no call', () => {
  it.each([
    ['an unknown operation', 'Kinesis_20131202.Fly', 'application/x-amz-json-1.1', '{}', 'UnknownOperationException'],
    ['an unknown content type', 'Kinesis_20131202.ListStreams', 'text/xml', '{}', 'UnknownOperationException'],
    ['a broken body', 'Kinesis_20131202.ListStreams', 'application/x-amz-json-1.1', '{', 'SerializationException'],
    [
      'a wrong type',
      'Kinesis_20131202.ListStreams',
      'application/x-amz-json-1.1',
      '{"Limit":"2"}',
      'SerializationException',
    ],
  ])('is refused by name: %s', async (_, target, contentType, body, name) => {
    const server = await startLocalKinesis();
    try {
      const headers = { 'x-amz-target': target, 'content-type': contentType };
      const response = await fetch(server.url, { method: 'POST', headers, body });

      expect(response.status).toBe(400);
      expect(response.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
      expect(await response.json()).toMatchObject({ __type: name });
    } finally {
      await server.close();
    }
  });

  it('is refused when its body is larger than any call', async () => {
    const server = await startLocalKinesis();
    try {
      const response = await fetch(server.url, { method: 'POST', body: Buffer.alloc(21 * 1024 * 1024) });

      expect(response.status).toBe(413);
    } finally {
      await server.close();
    }
  });
});

describe('the local Kinesis as a process', () => {
  it('prints where it listens, answers there, and ends on SIGTERM', async () => {
    const child = spawn(process.execPath, ['local/kinesis/main.ts', '--transition-ms=0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
      const client = clientOf((JSON.parse(line) as { listening: string }).listening);
      const { StreamNames } = await client.send(new ListStreamsCommand({}));
      const exited = once(child, 'exit');
      child.kill('SIGTERM');

      expect(StreamNames).toEqual([]);
      expect(await exited).toEqual([0, null]);
      client.destroy();
    } finally {
      child.kill('SIGKILL');
    }
  });
});
