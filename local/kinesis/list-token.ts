/**
 * NextToken of ListShards and ListStreams: opaque text to clients, here where the next page starts, with the filter
 * of the first page. Valid 300 seconds on the server's monotonic clock. Neighbours: the listing operations.
 */
import { invalidArgument, KinesisError } from './kinesis-error.ts';

const TOKEN_LIFETIME_MS = 300_000;

/** `page` is what the operation needs to go on; it must survive JSON. */
export function encodeListToken(page: unknown, nowMs: number): string {
  return Buffer.from(JSON.stringify({ page, issuedMs: nowMs })).toString('base64');
}

/** The page, still to be checked by the caller. Throws InvalidArgumentException or ExpiredNextTokenException. */
export function decodeListToken(token: string, nowMs: number): unknown {
  const { page, issuedMs } = parse(token);
  if (nowMs - issuedMs > TOKEN_LIFETIME_MS) {
    throw new KinesisError(
      'ExpiredNextTokenException',
      `NextToken has expired: it is valid for ${TOKEN_LIFETIME_MS} ms`,
    );
  }
  return page;
}

function parse(token: string): { page: unknown; issuedMs: number } {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64').toString());
    if (typeof value === 'object' && value !== null && 'page' in value && 'issuedMs' in value) {
      const { page, issuedMs } = value;
      if (typeof issuedMs === 'number') return { page, issuedMs };
    }
  } catch {
    // Not ours: the same answer as for any other text.
  }
  throw invalidArgument('NextToken is invalid.');
}
