/**
 * What a pipeline file may say: its shape only, closed (an unknown key is a fault, not a wish that nobody reads).
 * What the words refer to (fields of the message, formats) is checked by compile.ts. `pipelines/logins.yaml` shows it.
 */
import { z } from 'zod';

/** Names end up in counter names and Redis keys, where ':' divides. */
const name = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'must be a name: a letter, then letters, digits, "_" or "-" (64 at most)');

const field = z.string().min(1, 'must name a field of the message');

export const sourceSchema = z.strictObject({
  /** auto: each record may be protobuf or JSON. */
  format: z.enum(['auto', 'protobuf', 'json']),
  /** Below the proto folder. */
  proto: z.string().regex(/^(?!\/)(?!.*\.\.).+\.proto$/, 'must be a .proto file below the proto folder'),
  /** Full name of the message that all formats can be read as. */
  message: z.string().min(1),
  /** ownRange: of an aggregate, only the user records whose hash key is the shard's own; default: all of them. */
  aggregates: z.enum(['all', 'ownRange']).optional(),
});

export const formatSchema = z.strictObject({
  name,
  /** The format is this one when this field is present and not empty. Absent: always. */
  when: field.optional(),
});

export const identitySchema = z.strictObject({
  fields: z.array(field).min(1, 'must name at least one field'),
  /** The field of the identity that is a time; its copies carry the same one. */
  time: field.optional(),
});

export const counterSchema = z.strictObject({
  name,
  /** `format`, or a text field: fresh records are counted per value of it. */
  by: field,
});

export const uniqueSchema = z.strictObject({
  name,
  field,
  /** Distinct values of `field` for each value of this text field. */
  per: field.optional(),
  /** A HyperLogLog: within about 1 %, in at most 12 KiB, however many there are. */
  approximate: z.boolean().optional(),
});

export const pipelineSchema = z.strictObject({
  source: sourceSchema,
  formats: z.array(formatSchema).min(1, 'must have at least one format'),
  identity: identitySchema,
  slotKey: field.optional(),
  counters: z.array(counterSchema).optional(),
  uniques: z.array(uniqueSchema).optional(),
  deadLetters: z.strictObject({}).optional(),
});

export type FormatText = z.infer<typeof formatSchema>;
export type IdentityText = z.infer<typeof identitySchema>;
export type CounterText = z.infer<typeof counterSchema>;
export type UniqueText = z.infer<typeof uniqueSchema>;
