/**
 * Aggregated records for tests: those that the published reference package makes (the oracle), and those that are put
 * together byte by byte, right or wrong on purpose.
 */
import { hash } from 'node:crypto';
import { createRequire } from 'node:module';
import { type Position, START } from '../../lease/position.ts';
import { deaggregate } from '../../worker/pipeline/deaggregate.ts';
import type { HashRange } from '../../worker/pipeline/hash-range.ts';
import type { UserRecords } from '../../worker/pipeline/user-records.ts';
import type { RawBatch } from '../../worker/source/raw-batch.ts';

export interface KplRecord {
  readonly partitionKey: string;
  readonly explicitHashKey?: string;
  readonly data: Uint8Array;
}

interface Oracle {
  readonly RecordAggregator: new () => {
    addUserRecord(record: { partitionKey: string; explicitHashKey?: string; data: Buffer }): void;
    build(): { readonly data: Buffer };
  };
  deaggregateSync(
    record: { readonly data: string; readonly sequenceNumber: string },
    checksDigest: boolean,
    done: (error: Error | undefined, records: readonly { data: string; subSequenceNumber: number }[]) => void,
  ): void;
}

/** Its own type declarations import packages that it does not bring. */
const oracle = createRequire(import.meta.url)('aws-kinesis-agg') as Oracle;

/** An aggregate made by the reference package. It confuses keys that look like small numbers: do not use such. */
export function oracleAggregate(records: readonly KplRecord[]): Buffer {
  const aggregator = new oracle.RecordAggregator();
  for (const { data, ...keys } of records) aggregator.addUserRecord({ ...keys, data: Buffer.from(data) });
  return aggregator.build().data;
}

/** Payloads that the reference package finds in a record. */
export function oracleDeaggregate(record: Uint8Array): Buffer[] {
  let found: Buffer[] = [];
  oracle.deaggregateSync(
    { data: Buffer.from(record).toString('base64'), sequenceNumber: '1' },
    true,
    (error, records) => {
      if (error) throw error;
      found = records.map(({ data }) => Buffer.from(data, 'base64'));
    },
  );
  return found;
}

/** Magic, body, digest of the body. */
export function sealed(body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from('f3899ac2', 'hex'), body, hash('md5', body, 'buffer')]);
}

/** A length-delimited field of fewer than 16,384 bytes. */
export function field(number: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const size = content.length < 0x80 ? [content.length] : [(content.length & 0x7f) | 0x80, content.length >>> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...size]), content]);
}

/** A user record of the message: partition key index 0 and this payload. */
export function userRecord(payload: Uint8Array | string): Buffer {
  return field(3, Buffer.from([0x08, 0x00]), field(3, Buffer.from(payload)));
}

/** A whole aggregate of these payloads under one partition key. */
export function aggregateOf(...payloads: readonly (Uint8Array | string)[]): Buffer {
  return sealed(Buffer.concat([field(1, Buffer.from('key')), ...payloads.map(userRecord)]));
}

export interface Unpacked {
  readonly sequenceNumber: string;
  readonly sub: number;
  readonly payload: Buffer;
}

/** All user records of a batch, in order; the sequence number without its zeros. */
export function unpack(raw: RawBatch, after: Position = START, ownRange?: HashRange): Unpacked[] {
  return [...deaggregate(raw, after, ownRange)].flatMap(unpackedOf);
}

export function unpackedOf({ count, bytes, starts, ends, positions }: UserRecords): Unpacked[] {
  return Array.from({ length: count }, (_, i) => ({
    sequenceNumber: positions.sequenceNumbers[i]!.replace(/^0+/, ''),
    sub: positions.subSequenceNumbers?.[i] ?? 0,
    payload: Buffer.from(bytes.subarray(starts[i], ends[i])),
  }));
}
