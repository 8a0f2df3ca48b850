/**
 * The Kinesis client that records are put with. It never retries by itself: a retry of a call whose answer was lost may
 * store records twice, and only we know how to count that. Endpoint, region and credentials come from the SDK's own
 * environment variables unless given.
 */
import { KinesisClient, type KinesisClientConfig } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';

export function createProducerClient(config: KinesisClientConfig = {}): KinesisClient {
  return new KinesisClient({ requestHandler: new NodeHttpHandler(), ...config, maxAttempts: 1 });
}
