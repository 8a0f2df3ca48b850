/**
 * Cost of the pure stages: deaggregate, decode and identity of 124-byte protobuf logins in batches of 1,000, in CPU time
 * per record. Run by itself it prints; bench/main.ts takes the figures.
 */
import { join } from 'node:path';
import { SEQUENCE_NUMBER_DIGITS, START } from '../lease/position.ts';
import { loadPipeline } from '../pipelines/load.ts';
import { createLoginStub, STUB_RECORD_BYTES } from '../producer/stub.ts';
import { deaggregate } from '../worker/pipeline/deaggregate.ts';
import { createDecoder } from '../worker/pipeline/decode.ts';
import { createIdentity } from '../worker/pipeline/identity.ts';
import type { RawBatch } from '../worker/source/raw-batch.ts';

const RECORDS = 1000;
const START_MS = 1_780_000_000_000;
const SEQUENCE_NUMBERS = Array.from({ length: RECORDS }, (_, i) => `49${i}`.padStart(SEQUENCE_NUMBER_DIGITS, '0'));

export interface DecodeFigures {
  readonly records: number;
  /** CPU microseconds per record: all three stages, and decode alone. Median of the rounds. */
  readonly microsPerRecord: number;
  readonly decodeMicrosPerRecord: number;
}

export async function measureDecode(rounds = 7, batchesPerRound = 200): Promise<DecodeFigures> {
  const pipeline = loadPipeline('logins', join(import.meta.dirname, '..', 'pipelines'));
  const decode = createDecoder(pipeline);
  const hashSeed = '00112233445566778899aabbccddeeff';
  const identify = await createIdentity({ pipeline, hashSeed, slots: 1, bucketBy: 'time' });
  const nextBatch = createLoginStub({
    recordsPerBatch: RECORDS,
    duplicateShare: 0.01,
    startMs: START_MS,
    players: 1e6,
  });
  let checksum = 0;
  const all: number[] = [];
  const decodeOnly: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const made = Array.from({ length: batchesPerRound }, () => rawBatchOf(nextBatch().bytes.slice()));
    all.push(
      cpuMicros(() => {
        for (const raw of made) {
          for (const records of deaggregate(raw, START)) checksum += identify(decode(records)).ids[0]!;
        }
      }),
    );
    decodeOnly.push(
      cpuMicros(() => {
        for (const raw of made) {
          for (const records of deaggregate(raw, START)) checksum += decode(records).formats[0]!;
        }
      }),
    );
  }
  if (!(checksum > 0)) throw new Error('nothing was identified');
  const perRound = RECORDS * batchesPerRound;
  return {
    records: rounds * perRound,
    microsPerRecord: median(all) / perRound,
    decodeMicrosPerRecord: median(decodeOnly) / perRound,
  };
}

function rawBatchOf(bytes: Uint8Array): RawBatch {
  return {
    count: RECORDS,
    bytes,
    starts: Uint32Array.from({ length: RECORDS }, (_, i) => i * STUB_RECORD_BYTES),
    ends: Uint32Array.from({ length: RECORDS }, (_, i) => (i + 1) * STUB_RECORD_BYTES),
    sequenceNumbers: SEQUENCE_NUMBERS,
    arrivalsMs: new Float64Array(RECORDS),
    millisBehindLatest: 0,
    answeredAtMs: 0,
    isShardEnd: false,
    childShards: [],
  };
}

function cpuMicros(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const used = process.cpuUsage(before);
  return used.user + used.system;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

if (import.meta.main) {
  const figures = await measureDecode();
  console.log(
    `deaggregate + decode + identity: ${figures.microsPerRecord.toFixed(3)} µs CPU per record ` +
      `(decode alone ${figures.decodeMicrosPerRecord.toFixed(3)} µs; ${figures.records} records of ${STUB_RECORD_BYTES} bytes)`,
  );
}
