/**
 * An error as the Kinesis API names it. Operations throw it, the protocol answers it as `{"__type","message"}`.
 * Names are those of the API reference: clients decide by name, never by message. Neighbour: json-protocol.ts.
 */

const SERVER_FAULTS = new Map([
  ['InternalFailureException', 500],
  ['InternalFailure', 500],
  ['ServiceUnavailable', 503],
]);

export class KinesisError extends Error {
  readonly statusCode: number;

  constructor(name: string, message: string, statusCode = SERVER_FAULTS.get(name) ?? 400) {
    super(message);
    this.name = name;
    this.statusCode = statusCode;
  }
}

export function invalidArgument(message: string): KinesisError {
  return new KinesisError('InvalidArgumentException', message);
}

export function notFound(message: string): KinesisError {
  return new KinesisError('ResourceNotFoundException', message);
}

export function throttled(message: string): KinesisError {
  return new KinesisError('ProvisionedThroughputExceededException', message);
}
