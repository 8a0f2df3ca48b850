/**
 * The DynamoDB client as the fleet needs it: HTTP/1.1 with keep-alive, and few attempts of its own, because every
 * caller here already retries with jitter on its next turn. Deadlines are set per call in fleet-table.ts, and there
 * alone: the handler's own connection timeout also runs while a call waits for a free socket, so that a burst of
 * handoffs would take its own queue for a silent server.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { parseHttpTime } from '../../runtime/clock.ts';

export interface DynamoDbClientOptions {
  /** Absent: the SDK's usual places (AWS_REGION, profile). */
  readonly region?: string;
  /** Absent: AWS. For a local table: `http://127.0.0.1:<port>`. */
  readonly endpoint?: string;
  /** Absent: the SDK's usual chain (environment, IRSA, pod identity, instance). */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Told of each call as it is sent; what it gives is told the time in the answer, in milliseconds since 1970. */
  readonly onCall?: () => (serverMs: number | undefined) => void;
}

/** Two: a keep-alive socket that the server closed in the same moment is no news worth a caller's back-off. */
const ATTEMPTS = 2;

export function createDynamoDbClient(options: DynamoDbClientOptions): DynamoDBClient {
  const client = new DynamoDBClient({
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    maxAttempts: ATTEMPTS,
  });
  const { onCall } = options;
  if (onCall) {
    client.middlewareStack.add(
      (next) => async (args) => {
        const onAnswer = onCall();
        const result = await next(args);
        const { headers } = result.response as { readonly headers?: Readonly<Record<string, string>> };
        onAnswer(parseHttpTime(headers?.date));
        return result;
      },
      { step: 'deserialize', name: 'serverTime' },
    );
  }
  return client;
}
