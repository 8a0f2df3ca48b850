/**
 * What each failure of a read means for the shard: one table, total, by the error's name. Nothing here ends a shard and
 * nothing gives its lease away: a shard that cannot be read waits, visibly (status), and goes on when it can.
 */
import { errorName } from '../../runtime/errors.ts';

/**
 * throttled: too many reads, of ours or others'; transient: the same call may succeed soon; expired: the iterator is too
 * old, take a new one; unknownPlace: the stream, the shard or the position is not there (never a shard end by itself);
 * refused: a permission or key is missing, until a person gives it.
 */
export type ReadFailureKind = 'throttled' | 'transient' | 'expired' | 'unknownPlace' | 'refused';

export interface ReadFailure {
  readonly kind: ReadFailureKind;
  /** For log fields and metric labels: the exception's name or the system's error code. */
  readonly name: string;
}

const KINDS: Readonly<Record<string, ReadFailureKind>> = {
  ProvisionedThroughputExceededException: 'throttled',
  LimitExceededException: 'throttled',
  KMSThrottlingException: 'throttled',
  ThrottlingException: 'throttled',
  Throttling: 'throttled',
  TooManyRequestsException: 'throttled',
  RequestLimitExceeded: 'throttled',
  InternalFailureException: 'transient',
  InternalFailure: 'transient',
  InternalServerError: 'transient',
  ServiceUnavailable: 'transient',
  ResourceInUseException: 'transient',
  RequestTimeout: 'transient',
  TimeoutError: 'transient',
  AbortError: 'transient',
  ExpiredIteratorException: 'expired',
  ExpiredNextTokenException: 'transient',
  ResourceNotFoundException: 'unknownPlace',
  InvalidArgumentException: 'unknownPlace',
  ValidationException: 'unknownPlace',
  StreamRecreated: 'unknownPlace',
  AccessDeniedException: 'refused',
  AccessDenied: 'refused',
  UnauthorizedOperation: 'refused',
  KMSAccessDeniedException: 'refused',
  KMSDisabledException: 'refused',
  KMSInvalidStateException: 'refused',
  KMSNotFoundException: 'refused',
  KMSOptInRequired: 'refused',
  ExpiredTokenException: 'refused',
  ExpiredToken: 'refused',
  UnrecognizedClientException: 'refused',
  InvalidClientTokenId: 'refused',
  InvalidSignatureException: 'refused',
  IncompleteSignature: 'refused',
  MissingAuthenticationTokenException: 'refused',
  NotAuthorized: 'refused',
  OptInRequired: 'refused',
  CredentialsProviderError: 'refused',
};

/** Unlisted: 429 is throttled, another 4xx refused, all else (5xx, sockets, a body cut short) transient. */
export function classifyReadError(error: unknown): ReadFailure {
  const name = errorName(error);
  return { name, kind: Object.hasOwn(KINDS, name) ? KINDS[name]! : kindByStatus(statusCodeOf(error)) };
}

function kindByStatus(statusCode: number | undefined): ReadFailureKind {
  if (statusCode === 429) return 'throttled';
  return statusCode !== undefined && statusCode >= 400 && statusCode < 500 ? 'refused' : 'transient';
}

function statusCodeOf(error: unknown): number | undefined {
  const metadata = (error as { $metadata?: { httpStatusCode?: unknown } } | undefined)?.$metadata;
  return typeof metadata?.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}
