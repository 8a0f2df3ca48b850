/**
 * A Kinesis that costs next to nothing, for measuring a worker: GetRecords answers are encoded once, and only ids and
 * sequence numbers are patched in place. TLS, eight shards that never end and are always behind. A process of its own:
 * `node stub-kinesis.ts`; prints {"listening": URL}.
 */
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createLoginStub, STUB_RECORD_BYTES } from '../producer/stub.ts';

const SHARDS = 8;
const RECORDS_PER_ANSWER = 10_000;
const COUNTER_DIGITS = 12;
const DATA_CHARACTERS = Math.ceil(STUB_RECORD_BYTES / 3) * 4;
const HOUR_MS = 3_600_000;
const HASH_KEYS = 2n ** 128n;
const STREAM_ARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/logins';

/** The answers of one shard, in one buffer that is patched for each. */
class StubShard {
  readonly #prefix: string;
  readonly #next: ReturnType<typeof createLoginStub>;
  readonly #body: Buffer;
  readonly #recordBytes: number;
  readonly #counterAt: number;
  readonly #dataAt: number;
  readonly #head: Buffer;

  constructor(index: number) {
    this.#head = Buffer.from(`{"MillisBehindLatest":60000,"NextShardIterator":"shard-${index}","Records":[`);
    this.#prefix = `4966${String(index).padStart(4, '0')}${'0'.repeat(48 - COUNTER_DIGITS)}`;
    this.#next = createLoginStub({
      recordsPerBatch: RECORDS_PER_ANSWER,
      duplicateShare: 0.01,
      startMs: Date.now() - (index + 1) * HOUR_MS,
      players: 1_000_000,
    });
    const [before, between] = [
      '{"SequenceNumber":"',
      `","ApproximateArrivalTimestamp":${(Date.now() / 1000).toFixed(3)},"PartitionKey":"player","Data":"`,
    ];
    const record = Buffer.from(
      `${before}${this.#prefix}${'0'.repeat(COUNTER_DIGITS)}${between}${'A'.repeat(DATA_CHARACTERS)}"},`,
    );
    this.#recordBytes = record.length;
    this.#counterAt = before.length + this.#prefix.length;
    this.#dataAt = record.length - DATA_CHARACTERS - 3;
    const records = Buffer.concat(Array.from({ length: RECORDS_PER_ANSWER }, () => record)).subarray(0, -1);
    this.#body = Buffer.concat([this.#head, records, Buffer.from(']}')]);
  }

  answer(first: number): Buffer {
    const { bytes } = this.#next();
    const logins = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0; i < RECORDS_PER_ANSWER; i++) {
      const at = this.#head.length + i * this.#recordBytes;
      this.#body.write(String(first + i).padStart(COUNTER_DIGITS, '0'), at + this.#counterAt, 'latin1');
      const data = logins.toString('base64', i * STUB_RECORD_BYTES, (i + 1) * STUB_RECORD_BYTES);
      this.#body.write(data, at + this.#dataAt, 'latin1');
    }
    return this.#body;
  }
}

const shards = Array.from({ length: SHARDS }, (_, index) => new StubShard(index));
const counters = new Array<number>(SHARDS).fill(1);

function answer(operation: string, input: Record<string, string>): Buffer | object {
  switch (operation) {
    case 'DescribeStreamSummary':
      return { StreamDescriptionSummary: summary() };
    case 'ListShards':
      return { Shards: shards.map((_, index) => shardOf(index)) };
    case 'GetShardIterator':
      return { ShardIterator: `shard-${Number(input.ShardId?.slice(-4))}` };
    case 'GetRecords': {
      const index = Number(input.ShardIterator?.split('-')[1]);
      const first = counters[index]!;
      counters[index] = first + RECORDS_PER_ANSWER;
      return shards[index]!.answer(first);
    }
    default:
      throw new Error(`the stub knows no ${operation}`);
  }
}

function summary(): object {
  return {
    ...{ StreamName: 'logins', StreamARN: STREAM_ARN, StreamStatus: 'ACTIVE', StreamCreationTimestamp: 1_785_000_000 },
    ...{ RetentionPeriodHours: 24, EnhancedMonitoring: [], OpenShardCount: SHARDS },
  };
}

function shardOf(index: number): object {
  const width = HASH_KEYS / BigInt(SHARDS);
  const range = {
    StartingHashKey: String(width * BigInt(index)),
    EndingHashKey: String(width * BigInt(index + 1) - 1n),
  };
  return {
    ShardId: `shardId-${String(index).padStart(12, '0')}`,
    HashKeyRange: range,
    SequenceNumberRange: { StartingSequenceNumber: '1' },
  };
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
  const made = answer(operation, JSON.parse(Buffer.concat(parts).toString()) as Record<string, string>);
  // The next answer patches the same buffer, so this one is copied out first.
  const body = Buffer.isBuffer(made) ? Buffer.from(made) : Buffer.from(JSON.stringify(made));
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1', 'content-length': body.length });
  response.end(body);
}

const folder = join(import.meta.dirname, 'tls');
const tls = {
  key: readFileSync(join(folder, 'loopback-key.pem')),
  cert: readFileSync(join(folder, 'loopback-cert.pem')),
};
const server = createServer(tls, (request, response) => {
  handle(request, response).catch((error: unknown) => {
    response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify({ __type: 'InvalidArgumentException', message: String(error) }));
  });
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(
    `${JSON.stringify({ listening: `https://127.0.0.1:${(server.address() as AddressInfo).port}` })}\n`,
  );
});
process.once('SIGTERM', () => process.exit(0));
