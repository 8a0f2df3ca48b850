/**
 * The process's one Kinesis client. HTTP/1.1 with keep-alive: the SDK's default handler opens a new TLS and HTTP/2
 * session for every call. One attempt per call, because retries and their pace belong to the source (pacing.ts).
 * Region, credentials and endpoint come the SDK's way (AWS_REGION, AWS_ENDPOINT_URL_KINESIS, …).
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { KinesisClient, type KinesisClientConfig } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/** Shorter than the deadline of a call, so that a dead address shows as such. */
const CONNECT_TIMEOUT_MS = 5_000;

/** Call `destroy()` on it at the end: it closes the connections. */
export function createKinesisClient(options: KinesisClientConfig = {}): KinesisClient {
  // A shard's hung call must not keep another shard from a socket: no bound on the sockets but the shards themselves.
  const agentOptions = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY };
  return new KinesisClient({
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      httpAgent: new HttpAgent(agentOptions),
      httpsAgent: new HttpsAgent(agentOptions),
      connectionTimeout: CONNECT_TIMEOUT_MS,
    }),
    ...options,
  });
}
