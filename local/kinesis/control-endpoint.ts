/**
 * The server's own paths under `/_local/`: faults, statistics, settings. JSON in, JSON out, no signature. For tests and
 * drills: it is not part of Kinesis. Neighbours: fault-rule.ts reads rules, faults.ts keeps them.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Account } from './account.ts';
import { readFaultRequests } from './fault-rule.ts';
import { jsonCodec } from './json-protocol.ts';
import { invalidArgument, KinesisError } from './kinesis-error.ts';

export const CONTROL_PATH = '/_local/';

type Control = (account: Account, body: Buffer, query: URLSearchParams) => unknown;

const CONTROLS: ReadonlyMap<string, Control> = new Map<string, Control>([
  ['GET /_local/stats', stats],
  ['GET /_local/faults', (account) => ({ rules: account.faults.rules })],
  ['POST /_local/faults', addFaults],
  ['DELETE /_local/faults', removeFaults],
  ['GET /_local/settings', settings],
  ['POST /_local/settings', changeSettings],
]);

/** Answers 404 for an unknown path and 400 with a message for a body that it does not understand. */
export function handleControl(
  account: Account,
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
): void {
  const url = new URL(request.url ?? '/', 'http://local');
  const control = CONTROLS.get(`${request.method} ${url.pathname}`);
  if (!control) {
    answer(response, 404, { message: `known: ${[...CONTROLS.keys()].join(', ')}` });
    return;
  }
  try {
    answer(response, 200, control(account, body, url.searchParams));
  } catch (error) {
    if (!(error instanceof KinesisError)) throw error;
    answer(response, 400, { message: error.message });
  }
}

function stats(account: Account): unknown {
  const { operations, recordsIn, recordsOut, payloadBytesIn, payloadBytesOut } = account.stats;
  return {
    operations,
    recordsIn,
    recordsOut,
    payloadBytesIn,
    payloadBytesOut,
    bytesHeld: account.retention.bytesHeld,
    streams: account.streams.map((stream) => ({
      name: stream.name,
      status: stream.status,
      shards: stream.shards.length,
    })),
  };
}

/** One rule or a list of rules; also `{"expireIterators":true}`, which acts at once. */
function addFaults(account: Account, body: Buffer): unknown {
  const requests = readFaultRequests(body.toString());
  return {
    rules: requests.flatMap((request) => {
      if (request.kind === 'rule') return [account.faults.add(request.rule)];
      account.faults.expireIterators(request.streamName, request.shardId);
      return [];
    }),
  };
}

function removeFaults(account: Account, _body: Buffer, query: URLSearchParams): unknown {
  const id = query.get('id');
  return { removed: account.faults.remove(id === null ? undefined : Number(id)) };
}

function settings(account: Account): unknown {
  return { ...account.settings, enforceLimits: account.enforceLimits };
}

function changeSettings(account: Account, body: Buffer): unknown {
  const { enforceLimits, ...others } = jsonCodec.decode(body);
  if (typeof enforceLimits !== 'boolean' || Object.keys(others).length > 0) {
    throw invalidArgument('the body must be {"enforceLimits": true} or {"enforceLimits": false}');
  }
  account.enforceLimits = enforceLimits;
  return settings(account);
}

function answer(response: ServerResponse, statusCode: number, value: unknown): void {
  const text = JSON.stringify(value);
  response.writeHead(statusCode, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
