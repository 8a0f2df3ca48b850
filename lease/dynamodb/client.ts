/**
 * The DynamoDB client as the fleet needs it: HTTP/1.1 with keep-alive, and few attempts of its own, because every
 * caller here already retries with jitter on its next turn. Deadlines are set per call in fleet-table.ts, and there
 * alone: the handler's own connection timeout also runs while a call waits for a free socket, so that a burst of
 * handoffs would take its own queue for a silent server.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';

export interface DynamoDbClientOptions {
  /** Absent: the SDK's usual places (AWS_REGION, profile). */
  readonly region?: string;
  /** Absent: AWS. For a local table: `http://127.0.0.1:<port>`. */
  readonly endpoint?: string;
  /** Absent: the SDK's usual chain (environment, IRSA, pod identity, instance). */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Two: a keep-alive socket that the server closed in the same moment is no news worth a caller's back-off. */
const ATTEMPTS = 2;

export function createDynamoDbClient(options: DynamoDbClientOptions): DynamoDBClient {
  return new DynamoDBClient({
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    maxAttempts: ATTEMPTS,
  });
}
