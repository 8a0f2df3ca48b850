/**
 * What a call to the Kubernetes API failed with, translated once: everything may succeed later (a network comes back,
 * a Role gets its rule), and only the status tells the cases apart that a caller knows an answer to.
 */
import { ApiException } from '@kubernetes/client-node';
import { FleetError } from '../../runtime/errors.ts';

export const FORBIDDEN = 403;
export const NOT_FOUND = 404;
export const CONFLICT = 409;
/** What is immutable would change, a UID for instance. */
export const INVALID = 422;
/** The version asked for is too old to be watched from. */
export const EXPIRED = 410;

export class KubernetesError extends FleetError {
  /** HTTP status; undefined when there was no answer. */
  readonly status: number | undefined;

  constructor(operation: string, status: number | undefined, message: string, cause: unknown) {
    super(`Kubernetes: ${operation} failed: ${message}`, {
      code: status === undefined ? 'KubernetesUnreachable' : 'KubernetesRefused',
      disposition: 'retry',
      cause,
      fields: { operation, ...(status === undefined ? {} : { status }) },
    });
    this.name = 'KubernetesError';
    this.status = status;
  }
}

export function toKubernetesError(operation: string, error: unknown): KubernetesError {
  if (error instanceof KubernetesError) return error;
  if (error instanceof ApiException) return new KubernetesError(operation, error.code, messageOf(error.body), error);
  const status: unknown = error instanceof Error ? Reflect.get(error, 'statusCode') : undefined;
  const text = error instanceof Error ? error.message : String(error);
  return new KubernetesError(operation, typeof status === 'number' ? status : undefined, text, error);
}

export function hasStatus(error: unknown, status: number): boolean {
  return error instanceof KubernetesError && error.status === status;
}

/** The body of a refusal is a Status object, as text or parsed, or whatever a proxy had to say. */
function messageOf(body: unknown): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  try {
    const { message } = JSON.parse(text) as { readonly message?: unknown };
    if (typeof message === 'string') return message;
  } catch {
    // Not a Status: its beginning says enough.
  }
  return (text ?? '').slice(0, 200);
}
