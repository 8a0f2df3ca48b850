/**
 * Why a record cannot be processed: a closed set of words per pipeline, used as codes within a batch, as metric labels
 * and in dead letters. Code 0 means that nothing is wrong. After the fixed words comes one word per identity field.
 */
import type { Pipeline } from '../../pipelines/pipeline.ts';

export const DECODABLE = 0;
export const EMPTY = 1;
export const MALFORMED_PROTOBUF = 2;
export const MALFORMED_JSON = 3;
export const NOT_AN_OBJECT = 4;
export const WRONG_TYPE = 5;
export const BAD_TIMESTAMP = 6;
/** A record without the identity's field i (absent or empty) has code MISSING + i. */
export const MISSING = 7;

const WORDS = [
  'decodable',
  'empty',
  'malformed_protobuf',
  'malformed_json',
  'not_an_object',
  'wrong_type',
  'bad_timestamp',
] as const;

/** Words by code; `missing_player_id` and the like at the end. */
export function reasonWords(pipeline: Pipeline): readonly string[] {
  return [...WORDS, ...pipeline.identity.fields.map((index) => `missing_${pipeline.fields[index]!.name}`)];
}

/** The values that a metric's reason label may have. */
export function rejectionReasons(pipeline: Pipeline): readonly string[] {
  return reasonWords(pipeline).slice(1);
}

/** The bytes are not of that wire form at all, as opposed to a message that lacks something. */
export function isMalformed(code: number): boolean {
  return code === MALFORMED_PROTOBUF || code === MALFORMED_JSON;
}
