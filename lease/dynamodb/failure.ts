/**
 * Translates what the SDK throws into the fleet's errors: everything that time may heal by itself is
 * FleetStoreUnavailable; what a person must heal is FleetStoreRefused, with a text that says what to do.
 */
import { errorMessage, errorName, FleetError } from '../../runtime/errors.ts';
import { FleetStoreUnavailable } from '../lease-store.ts';

/** DynamoDB answered, and said no. Retrying is right only where rights or credentials may come back (`retry`). */
export class FleetStoreRefused extends FleetError {
  constructor(message: string, operation: string, disposition: 'retry' | 'fatal', cause: unknown) {
    super(message, {
      code: 'FleetStoreRefused',
      disposition,
      cause,
      fields: { operation, awsError: errorName(cause) },
    });
    this.name = 'FleetStoreRefused';
  }
}

const CREDENTIALS = new Set([
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'IncompleteSignature',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'SignatureDoesNotMatch',
  'TokenProviderError',
  'UnrecognizedClientException',
]);
const PERMISSION = new Set(['AccessDenied', 'AccessDeniedException', 'KMSAccessDeniedException']);
/** Clients' mistakes: the same request can never succeed. */
const MISTAKES = new Set(['ValidationException', 'SerializationException', 'UnknownOperationException']);

/** Never throws; never gives back anything but a FleetError. */
export function toFleetError(operation: string, tableName: string, thrown: unknown): FleetError {
  if (thrown instanceof FleetError) return thrown;
  const name = errorName(thrown);
  const reason = errorMessage(thrown);
  if (CREDENTIALS.has(name)) {
    const text = `AWS credentials were not accepted for ${operation} on table ${tableName} (${name}): ${reason}`;
    return new FleetStoreRefused(text, operation, 'retry', thrown);
  }
  if (PERMISSION.has(name)) {
    const text = `no permission for ${operation} on table ${tableName}: grant it in the IAM policy of this role. ${reason}`;
    return new FleetStoreRefused(text, operation, 'retry', thrown);
  }
  if (name === 'ResourceNotFoundException') {
    const text = `table ${tableName} does not exist in this account and region (${operation})`;
    return new FleetStoreRefused(text, operation, 'retry', thrown);
  }
  if (MISTAKES.has(name)) {
    const text = `DynamoDB found ${operation} on table ${tableName} invalid: ${reason}`;
    return new FleetStoreRefused(text, operation, 'fatal', thrown);
  }
  return new FleetStoreUnavailable(operation, thrown);
}
