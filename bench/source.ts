/**
 * What reading costs: CPU of this process per record of 124 bytes, GetRecords to columns, through the SDK's client and
 * a real socket, and the decoding of the body alone. The answers come ready-made from a process of their own, so that
 * no server's work is counted. Run: `node bench/source.ts`.
 */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../runtime/clock.ts';
import { createKinesisClient } from '../worker/source/kinesis-client.ts';
import { decodeRecordPage } from '../worker/source/record-page.ts';
import { createSdkReads } from '../worker/source/sdk-reads.ts';

const PAYLOAD_BYTES = 124;
const CONTENT_TYPE = 'application/x-amz-json-1.1';

export interface SourceCost {
  readonly recordsPerAnswer: number;
  /** CPU microseconds per record: the whole call, and the decoding of its body alone. */
  readonly microsPerRecord: number;
  readonly decodeMicrosPerRecord: number;
}

export async function measureSource(sizes: readonly number[] = [1_000, 5_000, 10_000]): Promise<SourceCost[]> {
  const server = fork(import.meta.filename, ['--serve']);
  const client = createKinesisClient({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${await portOf(server)}`,
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
  });
  try {
    const reads = createSdkReads(client, 'bench', systemClock);
    const costs: SourceCost[] = [];
    for (const recordsPerAnswer of sizes) {
      const calls = Math.ceil(300_000 / recordsPerAnswer);
      const body = answerBody(recordsPerAnswer);
      const read = async (): Promise<unknown> =>
        reads.getRecords(String(recordsPerAnswer), 10_000, systemClock.deadline(10_000));
      costs.push({
        recordsPerAnswer,
        microsPerRecord: (await cpuMicrosPerCall(calls, read)) / recordsPerAnswer,
        decodeMicrosPerRecord:
          (await cpuMicrosPerCall(calls, () => decodeRecordPage(body, CONTENT_TYPE, 0))) / recordsPerAnswer,
      });
    }
    return costs;
  } finally {
    client.destroy();
    server.kill();
  }
}

async function portOf(server: ReturnType<typeof fork>): Promise<number> {
  const [port] = (await once(server, 'message')) as [number];
  return port;
}

/** After a third of the calls to warm up. */
async function cpuMicrosPerCall(calls: number, call: () => unknown): Promise<number> {
  for (let i = 0; i < calls / 3; i++) await call();
  const before = process.cpuUsage();
  for (let i = 0; i < calls; i++) await call();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

function answerBody(count: number): Buffer {
  const first = 49_680_426_753_013_945_571_444_740_146_463_733_665_381_557_027_238_576_130n;
  const Records = Array.from({ length: count }, (_, i) => ({
    SequenceNumber: String(first + BigInt(i) * 1_000n),
    ApproximateArrivalTimestamp: 1_795_257_960 + i / 1_000,
    Data: randomBytes(PAYLOAD_BYTES).toString('base64'),
    PartitionKey: `player-${i}`,
  }));
  return Buffer.from(JSON.stringify({ Records, NextShardIterator: 'A'.repeat(220), MillisBehindLatest: 0 }));
}

/** Answers with as many records as the iterator says. */
async function serve(): Promise<void> {
  const bodies = new Map<number, Buffer>();
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      const count = Number((JSON.parse(text) as { ShardIterator: string }).ShardIterator);
      const body = bodies.get(count) ?? answerBody(count);
      bodies.set(count, body);
      response.writeHead(200, { 'content-type': CONTENT_TYPE, 'content-length': body.length });
      response.end(body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.send?.((server.address() as AddressInfo).port);
  process.on('disconnect', () => process.exit());
}

if (process.argv.includes('--serve')) await serve();
else if (import.meta.main) console.table(await measureSource());
