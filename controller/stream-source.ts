/**
 * Port to the stream as the controller needs it: what it is, and which shards it has. The adapter is kinesis/.
 * A stream that does not exist is an answer; whatever time may heal throws StreamUnavailable.
 */
import { FleetError } from '../runtime/errors.ts';
import type { ListedShards } from './fleet-view.ts';

export interface StreamDescription {
  readonly arn: string;
  readonly creationEpochSeconds: number;
}

export interface StreamSource {
  describe(signal: AbortSignal): Promise<StreamDescription | 'missing'>;
  /** All pages. With `openAtMs`: also which shards were open at that wall time. */
  list(signal: AbortSignal, openAtMs: number | undefined): Promise<ListedShards | 'missing'>;
}

export class StreamUnavailable extends FleetError {
  constructor(operation: string, cause: unknown) {
    super(`Kinesis did not answer ${operation}`, {
      code: 'StreamUnavailable',
      disposition: 'retry',
      cause,
      fields: { operation },
    });
    this.name = 'StreamUnavailable';
  }
}
