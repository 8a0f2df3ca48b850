/**
 * The seam between operations and the wire: one codec per content type. Whatever the encoding, a decoded request has
 * the shapes of AWS JSON (blobs in base64, instants in epoch seconds), so that operations know one form only.
 * Neighbours: json-protocol.ts is the codec for JSON; request-handler.ts picks by content type.
 */
import type { Answer } from './answer.ts';
import type { KinesisError } from './kinesis-error.ts';

export interface Codec {
  contentType: string;
  /** Throws KinesisError `SerializationException`. */
  decode(body: Buffer): Readonly<Record<string, unknown>>;
  /** The body in parts, to be written one after the other. */
  encode(answer: Answer): Buffer[];
  encodeError(error: KinesisError): Buffer[];
}
