/**
 * One HTTP request from body to answer: names the operation, decodes, lets the faults have their say, runs the
 * operation at one stroke, writes. Signatures are accepted unread. Invariant: each request gets one answer, unless a
 * fault hangs or drops it. Neighbours: codec.ts (encodings), operations/table.ts, faults.ts, control-endpoint.ts.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Account } from './account.ts';
import type { Answer, Operation } from './answer.ts';
import { Arguments } from './arguments.ts';
import type { Codec } from './codec.ts';
import { CONTROL_PATH, handleControl } from './control-endpoint.ts';
import type { CallTarget, FaultRule } from './faults.ts';
import { jsonCodec } from './json-protocol.ts';
import { KinesisError } from './kinesis-error.ts';
import { OPERATIONS } from './operations/table.ts';
import { decodeShardIterator } from './shard-iterator.ts';

const CODECS: ReadonlyMap<string, Codec> = new Map([[jsonCodec.contentType, jsonCodec]]);
const TARGET_PREFIX = 'Kinesis_20131202.';
/** A 10 MiB request in base64, with room for its names. */
const MAX_BODY_BYTES = 20 * 1024 * 1024;

/** Answers the request; resolves when the answer is handed to the socket. `stopped` ends injected delays. */
export async function handleRequest(
  account: Account,
  request: IncomingMessage,
  response: ServerResponse,
  stopped: AbortSignal,
): Promise<void> {
  const body = await readBody(request);
  if (body === undefined) {
    response.writeHead(413, { connection: 'close' }).end();
    return;
  }
  account.advance();
  if (request.url?.startsWith(CONTROL_PATH)) {
    handleControl(account, request, body, response);
    return;
  }
  await handleCall(account, request, body, response, stopped);
}

async function handleCall(
  account: Account,
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
  stopped: AbortSignal,
): Promise<void> {
  const codec = CODECS.get(contentTypeOf(request));
  const name = operationName(request);
  const operation = OPERATIONS.get(name);
  if (!codec || !operation || request.method !== 'POST') {
    const error = new KinesisError('UnknownOperationException', `No operation ${name} for this content type.`);
    write(response, codec ?? jsonCodec, error.statusCode, (codec ?? jsonCodec).encodeError(error));
    return;
  }
  account.stats.countCall(name);
  try {
    const args = new Arguments(codec.decode(body));
    const target = targetOf(account, name, args);
    if (!(await passFaults(account, target, 'before', response, stopped))) return;
    const answer = run(account, operation, args);
    if (!(await passFaults(account, target, 'after', response, stopped))) return;
    write(response, codec, 200, codec.encode(answer));
  } catch (error) {
    const known = error instanceof KinesisError ? error : new KinesisError('InternalFailureException', String(error));
    account.stats.countError(name, known.name);
    write(response, codec, known.statusCode, codec.encodeError(known));
  }
}

function run(account: Account, operation: Operation, args: Arguments): Answer {
  // A delay may have passed since the request came in.
  account.advance();
  return operation(account, args);
}

/** False when a fault has ended the call. Throws the error that a fault injects. */
async function passFaults(
  account: Account,
  target: CallTarget,
  phase: FaultRule['phase'],
  response: ServerResponse,
  stopped: AbortSignal,
): Promise<boolean> {
  if (account.faults.rules.length === 0) return true;
  for (const effect of account.faults.effectsFor(target, phase)) {
    switch (effect.kind) {
      case 'delay':
        await account.clock.sleep(effect.delayMs, stopped);
        break;
      case 'error':
        throw new KinesisError(effect.name, effect.message, effect.statusCode);
      case 'hang':
        return false;
      case 'drop':
        response.socket?.destroy();
        return false;
      case 'entries':
        break;
    }
  }
  return true;
}

/** What the call is aimed at, as far as it can be told before the operation checks its arguments. */
function targetOf(account: Account, operation: string, args: Arguments): CallTarget {
  if (account.faults.rules.length === 0) return { operation, streamName: undefined, shardId: undefined };
  const iterator = args.optionalText('ShardIterator');
  if (iterator !== undefined) {
    const { streamName, shardId } = decodeShardIterator(iterator);
    return { operation, streamName, shardId };
  }
  const shardId =
    args.optionalText('ShardId') ?? args.optionalText('ShardToSplit') ?? args.optionalText('ShardToMerge');
  return { operation, streamName: account.streamNameOf(args), shardId };
}

function contentTypeOf(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';')[0]!.trim();
}

function operationName(request: IncomingMessage): string {
  const target = request.headers['x-amz-target'];
  return typeof target === 'string' && target.startsWith(TARGET_PREFIX) ? target.slice(TARGET_PREFIX.length) : '';
}

function write(response: ServerResponse, codec: Codec, statusCode: number, parts: readonly Buffer[]): void {
  response.writeHead(statusCode, {
    'content-type': codec.contentType,
    'content-length': parts.reduce((sum, part) => sum + part.length, 0),
    'x-amzn-requestid': randomUUID(),
  });
  response.cork();
  for (const part of parts) response.write(part);
  response.end();
  response.uncork();
}

/** The whole body, or undefined when it is larger than any call's. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Read on to the end: a socket cut in the middle would hide the answer.
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (bytes > MAX_BODY_BYTES) return undefined;
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}
