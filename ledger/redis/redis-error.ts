/**
 * What an error of the Redis client means for the ledger. A reply's first word is its code, by Redis's protocol. Most
 * are passing (a failover, a full memory, a moved slot): the same bytes go again. The client's error objects carry the
 * command with its arguments, a password among them: they never leave this file.
 */
import { errorMessage, errorName, FleetError } from '../../runtime/errors.ts';
import { LedgerUnavailable } from '../ledger.ts';

const PASSING = new Set([
  'LOADING',
  'READONLY',
  'OOM',
  'MISCONF',
  'NOREPLICAS',
  'BUSY',
  'MASTERDOWN',
  'MOVED',
  'ASK',
  'TRYAGAIN',
  'CLUSTERDOWN',
  'NOSCRIPT',
  'NOAUTH',
  'WRONGPASS',
  'NOPERM',
]);
/** This server does not serve, or does not take writes: another one does, or will. */
const ELSEWHERE = new Set(['READONLY', 'MASTERDOWN', 'MOVED', 'CLUSTERDOWN']);
const MESSAGE_CHARACTERS = 300;

/**
 * The code of an error reply, looking through the wrapping of Redis 6.2's script errors, raised or handed on by the script;
 * undefined = no reply.
 */
export function redisErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return undefined;
  const wrapped = /^(?:ERR Error (?:running|compiling) script.*|@user_script: ?\d+:) -([A-Z]+) /s.exec(error.message);
  return wrapped?.[1] ?? error.message.split(' ', 1)[0];
}

/** LedgerUnavailable when the same bytes may go again; else a fatal error that says what Redis refused. */
export function translateRedisError(error: unknown): FleetError {
  if (error instanceof FleetError) return error;
  const code = redisErrorCode(error);
  const message = errorMessage(error).slice(0, MESSAGE_CHARACTERS);
  if (code === undefined) return new LedgerUnavailable(reasonOf(error), new Error(message));
  if (PASSING.has(code)) return new LedgerUnavailable(code, new Error(message));
  return new FleetError(`Redis refused an operation of the ledger: ${message}`, {
    code: 'LedgerRefused',
    disposition: 'fatal',
    fields: { reason: code },
  });
}

/** Must the same bytes go to another server than the one that refused them? */
export function isElsewhere({ code, fields }: FleetError): boolean {
  return code === 'LedgerUnavailable' && ELSEWHERE.has(String(fields.reason));
}

/** Without queue and retries, the client's word for "the connection closed" is that it retried too often. */
function reasonOf(error: unknown): string {
  const name = errorName(error);
  return name === 'MaxRetriesPerRequestError' ? 'connection lost' : name;
}
