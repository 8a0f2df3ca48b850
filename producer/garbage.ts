/**
 * Records that nobody can take for a login, of many kinds. Each kind is certain, whatever the random numbers: what makes
 * it undecodable is put there on purpose.
 */
import { COUNTRIES, type Login } from './login.ts';
import { encodeLogin } from './login-encoding.ts';
import type { Random } from './random.ts';

type Kind = (login: Login, random: Random) => Uint8Array;

/** A tag of field number 0, which no protobuf may have and which begins no JSON. */
const FIELD_ZERO = 0x02;

const KINDS: Readonly<Record<string, Kind>> = {
  randomBytes: (_, random) => Uint8Array.from([FIELD_ZERO, ...random.bytes(1 + random.below(200))]),
  empty: () => new Uint8Array(0),
  blank: () => bytesOf(' \n'),
  emptyObject: () => bytesOf('{}'),
  jsonNull: () => bytesOf('null'),
  jsonArray: (login) => bytesOf(`[${textOf(encodeLogin(login, 'json'))}]`),
  jsonText: (login) => bytesOf(JSON.stringify(textOf(encodeLogin(login, 'json')))),
  truncatedJson: (login) => encodeLogin(login, 'json').slice(0, -1),
  jsonWithoutPlayer: (login) => jsonWith(login, { playerId: undefined }),
  jsonEmptyPlayer: (login) => jsonWith(login, { playerId: '' }),
  jsonNumberAsPlayer: (login) => jsonWith(login, { playerId: login.player }),
  jsonHalfSurrogate: (login) => jsonWith(login, { playerId: `${login.playerId}\ud83d` }),
  jsonWithoutTimestamp: (login) => jsonWith(login, { timestamp: undefined }),
  jsonBadTimestamp: (login) => jsonWith(login, { timestamp: '2023-02-29T12:00:00Z' }),
  truncatedProtobuf: (login) => encodeLogin(login, 'protobuf').slice(0, 10),
  truncatedInLastField: (login) => encodeLogin(login, 'protobuf').slice(0, -3),
  protobufWithoutTimestamp: (login) => protobufText(1, login.playerId),
  protobufWithoutPlayer: () => protobufText(3, COUNTRIES[0]!, [0x12, 0x02, 0x08, 0x01]),
  protobufBadText: () => Uint8Array.from([0x0a, 0x02, 0xc3, 0x28, 0x12, 0x02, 0x08, 0x01]),
};

const ALL = Object.values(KINDS);

export function garbage(login: Login, random: Random): Uint8Array {
  return random.pick(ALL)(login, random);
}

function jsonWith(login: Login, changes: Record<string, unknown>): Uint8Array {
  const message: unknown = JSON.parse(textOf(encodeLogin(login, 'json')));
  return bytesOf(JSON.stringify(Object.assign({}, message, changes)));
}

function protobufText(field: number, text: string, after: readonly number[] = []): Uint8Array {
  const bytes = bytesOf(text);
  return Uint8Array.from([(field << 3) | 2, bytes.length, ...bytes, ...after]);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}
