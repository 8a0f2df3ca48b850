/**
 * JSON logs: constant text plus fields, one line per transition, none per record. Secrets and payloads are not
 * fields, URLs are shown without user and password, and anything named like a secret is redacted all the same.
 */
import { type DestinationStream, pino } from 'pino';
import { errorMessage, errorName, FleetError } from './errors.ts';

export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  child(fields: LogFields): Logger;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Writes one JSON object per line to standard output, or to `destination`. */
export function createLogger(level: LogLevel, fields: LogFields, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: fields,
    messageKey: 'message',
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: ['password', '*.password', 'secret', 'token', 'secretAccessKey', '*.secretAccessKey'],
      remove: true,
    },
  };
  return wrap(destination ? pino(options, destination) : pino(options, pino.destination({ sync: true })));
}

/** Says nothing: for tests and for the demo's own process. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};

/** Fields of a thrown value for a log line: name, message, and those of the errors that caused it. */
export function errorFields(error: unknown): LogFields {
  const cause = error instanceof Error && error.cause !== undefined ? { cause: errorMessage(error.cause) } : {};
  const own = error instanceof FleetError ? error.fields : {};
  return { ...own, error: errorName(error), reason: errorMessage(error), ...cause };
}

function wrap(logger: pino.Logger): Logger {
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
    child: (fields) => wrap(logger.child(fields)),
  };
}
