/**
 * Protobuf logins for benchmarks, made once and patched in place: a batch costs a few stores per record, so that the
 * source of a measurement is not what is measured. Every record is new but a share that repeats the record before it.
 * All have 124 bytes; number of the player and nanos are written at fixed offsets with fixed widths.
 */
import protobuf from 'protobufjs';

export const STUB_RECORD_BYTES = 124;

const COUNTRIES = ['DE', 'FR', 'US', 'JP', 'BR', 'IN', 'PL', 'SE'];
const HEX = '0123456789abcdef';

export interface LoginStubOptions {
  readonly recordsPerBatch: number;
  /** 0.01 = one record of a hundred repeats the one before it. */
  readonly duplicateShare: number;
  /** Time of the first login, milliseconds since 1970. Logins follow each other by a microsecond. */
  readonly startMs: number;
  /** Distinct players; they take turns. */
  readonly players: number;
}

export interface StubBatch {
  readonly count: number;
  /** Record i = bytes[124 i, 124 (i + 1)). The next call overwrites them. */
  readonly bytes: Uint8Array;
}

/** @returns a function that gives the next batch */
export function createLoginStub(options: LoginStubOptions): () => StubBatch {
  const { recordsPerBatch: count, duplicateShare, startMs, players } = options;
  const template = encodeTemplate('DE');
  const playerAt = template.indexOf('00000000', 0, 'latin1');
  const countryAt = template.indexOf('DE', 0, 'latin1');
  const secondsAt = playerAt + 36 + 3;
  const nanosAt = secondsAt + 6;
  const bytes = Buffer.concat(Array.from({ length: count }, () => template));
  for (let i = 0; i < count; i++) {
    bytes.write(COUNTRIES[i % COUNTRIES.length]!, i * STUB_RECORD_BYTES + countryAt, 'latin1');
  }
  let made = 0;
  let debt = 0;

  return () => {
    for (let i = 0; i < count; i++) {
      const at = i * STUB_RECORD_BYTES;
      debt += duplicateShare;
      if (debt >= 1 && i > 0) {
        debt -= 1;
        bytes.copyWithin(at, at - STUB_RECORD_BYTES, at);
        continue;
      }
      const micros = startMs * 1000 + made;
      const seconds = Math.floor(micros / 1_000_000);
      writeHex(bytes, at + playerAt, made % players);
      writeVarint(bytes, at + secondsAt, seconds);
      writeVarint(bytes, at + nanosAt, (micros - seconds * 1_000_000) * 1000);
      made++;
    }
    return { count, bytes };
  };
}

/** 36 bytes of player id (8 patched), seconds in 5 bytes, nanos in 5 (padded varints are legal), a country of 2. */
function encodeTemplate(country: string): Buffer {
  const timestamp = Buffer.from([0x08, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0]);
  const writer = protobuf.Writer.create();
  writer.uint32(0x0a).string('00000000-7c1e-4b5a-9d3f-5e8a1b2c3d4e');
  writer.uint32(0x12).bytes(timestamp);
  writer.uint32(0x1a).string(country);
  writer.uint32(0x22).string('a3f19c5be07d4468b2c1d09e7f58');
  writer.uint32(0x2a).string('android');
  writer.uint32(0x32).string('4.12.3');
  writer.uint32(0x3a).string('de_DE');
  writer.uint32(0x42).string('203.0.113.57');
  return Buffer.from(writer.finish());
}

function writeHex(bytes: Uint8Array, at: number, value: number): void {
  let rest = value;
  for (let i = 7; i >= 0; i--) {
    bytes[at + i] = HEX.charCodeAt(rest & 15);
    rest >>>= 4;
  }
}

/** Five bytes, whatever the value below 2^35. */
function writeVarint(bytes: Uint8Array, at: number, value: number): void {
  let rest = value;
  for (let i = 0; i < 5; i++) {
    bytes[at + i] = (rest % 128) | (i < 4 ? 0x80 : 0);
    rest = Math.floor(rest / 128);
  }
}
