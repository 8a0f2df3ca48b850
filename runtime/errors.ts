/**
 * The errors of this project: a stable code, what the caller should do, the cause, and fields for the log line.
 * Adapters translate SDK errors into these at their edge; nobody matches on messages.
 */

/** retry: the same call may succeed later; release: this lease must be let go; fatal: the process cannot go on. */
export type Disposition = 'retry' | 'skip' | 'release' | 'fatal';

export interface FleetErrorOptions {
  readonly code: string;
  readonly disposition: Disposition;
  readonly cause?: unknown;
  readonly fields?: Readonly<Record<string, unknown>>;
}

export class FleetError extends Error {
  readonly code: string;
  readonly disposition: Disposition;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(message: string, options: FleetErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'FleetError';
    this.code = options.code;
    this.disposition = options.disposition;
    this.fields = options.fields ?? {};
  }
}

/** A start that cannot succeed until a person changes something: the message says what. */
export class StartRefused extends FleetError {
  constructor(message: string, fields?: Readonly<Record<string, unknown>>) {
    super(message, { code: 'StartRefused', disposition: 'fatal', ...(fields ? { fields } : {}) });
    this.name = 'StartRefused';
  }
}

/** The name of a thrown value, for log fields and metric labels: the SDK's error name, our code, or the class. */
export function errorName(error: unknown): string {
  if (error instanceof FleetError) return error.code;
  if (error instanceof Error) {
    const code: unknown = Reflect.get(error, 'code');
    return error.name === 'Error' && typeof code === 'string' ? code : error.name;
  }
  return typeof error;
}

/** The message of a thrown value, for log fields. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
