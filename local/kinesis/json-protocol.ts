/**
 * AWS JSON 1.1. Records are passed on in the bytes in which they were logged: an answer of any size costs one small
 * header and a few slices. Neighbours: codec.ts (the seam), shard-log.ts (the records' form).
 */
import type { Answer } from './answer.ts';
import type { Codec } from './codec.ts';
import { KinesisError } from './kinesis-error.ts';

export const jsonCodec: Codec = {
  contentType: 'application/x-amz-json-1.1',

  decode(body) {
    const value = parse(body);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notAnObject();
    return value as Record<string, unknown>;
  },

  encode({ members, records }: Answer) {
    if (!members) return [];
    const text = JSON.stringify(members);
    if (!records) return [Buffer.from(text)];
    const head = text === '{}' ? '{"Records":[' : `${text.slice(0, -1)},"Records":[`;
    return [Buffer.from(head), ...records.parts, Buffer.from(']}')];
  },

  encodeError(error) {
    return [Buffer.from(JSON.stringify({ __type: error.name, message: error.message }))];
  },
};

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw notAnObject();
  }
}

function notAnObject(): KinesisError {
  return new KinesisError('SerializationException', 'The request body is not a JSON object.');
}
