/** Batches of records for the tests of the pure stages, and readable forms of what the stages made of them. */
import { join } from 'node:path';
import { loadPipeline } from '../../pipelines/load.ts';
import type { Pipeline } from '../../pipelines/pipeline.ts';
import { createDecoder } from '../../worker/pipeline/decode.ts';
import type { DecodedBatch } from '../../worker/pipeline/decoded-batch.ts';
import { textBytes } from '../../worker/pipeline/field-hashes.ts';
import { reasonWords } from '../../worker/pipeline/rejection-reason.ts';
import type { UserRecords } from '../../worker/pipeline/user-records.ts';

const ROOT = join(import.meta.dirname, '..', '..');

export const HASH_SEED = '0123456789abcdef0123456789abcdef';

export const logins: Pipeline = loadPipeline('logins', join(ROOT, 'pipelines'));
const decodeLogins = createDecoder(logins);

/** The records one after the other in one block, with a few foreign bytes around each. */
export function userRecords(payloads: readonly Uint8Array[]): UserRecords {
  const gap = Uint8Array.from([0x0a, 0x7b, 0xff]);
  const blocks = payloads.flatMap((payload) => [gap, payload]);
  const ends: number[] = [];
  let at = 0;
  for (const payload of payloads) {
    at += gap.length + payload.length;
    ends.push(at);
  }
  return {
    count: payloads.length,
    bytes: Buffer.concat([...blocks, gap]),
    starts: Uint32Array.from(ends, (end, i) => end - payloads[i]!.length),
    ends: Uint32Array.from(ends),
    positions: { sequenceNumbers: payloads.map((_, i) => String(i).padStart(56, '0')), subSequenceNumbers: undefined },
    arrivalsMs: new Float64Array(payloads.length),
  };
}

export function decode(payloads: readonly Uint8Array[], pipeline: Pipeline = logins): DecodedBatch {
  return (pipeline === logins ? decodeLogins : createDecoder(pipeline))(userRecords(payloads));
}

/** A reason, or the format and the wanted fields as text; instants as `seconds.nanos`. */
export type Shown = string | { readonly format: string; readonly [field: string]: string | undefined };

export function show(batch: DecodedBatch, index: number, pipeline: Pipeline = logins): Shown {
  const reason = batch.reasons[index]!;
  if (reason !== 0) return reasonWords(pipeline)[reason]!;
  const shown: Record<string, string> = {};
  pipeline.fields.forEach((field, i) => {
    const column = batch.columns[i]!;
    if (column.kind === 'instant') {
      if (!Number.isNaN(column.seconds[index]!)) shown[field.name] = `${column.seconds[index]}.${column.nanos[index]}`;
    } else if (column.starts[index]! >= 0) {
      const bytes = textBytes(batch, index).subarray(column.starts[index], column.ends[index]);
      shown[field.name] = Buffer.from(bytes).toString('utf8');
    }
  });
  return { format: pipeline.formats[batch.formats[index]!]!.name, ...shown };
}

export function decodeOne(payload: Uint8Array | string, pipeline: Pipeline = logins): Shown {
  const bytes = typeof payload === 'string' ? Buffer.from(payload, 'utf8') : payload;
  return show(decode([bytes], pipeline), 0, pipeline);
}

export function hex(text: string): Uint8Array {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}
