/**
 * The spellings in which one and the same login may be on the wire: two of protobuf, four of JSON. All of them are the
 * same identity; that is what copies are made of.
 */
import protobuf from 'protobufjs';
import { isoTime } from '../runtime/clock.ts';
import { COUNTRIES, type Login } from './login.ts';

export const PROTOBUF_SPELLINGS = ['protobuf', 'protobufReversed'] as const;
export const JSON_SPELLINGS = ['json', 'jsonOffset', 'jsonZeros', 'jsonOriginalNames'] as const;

export type Spelling = (typeof PROTOBUF_SPELLINGS)[number] | (typeof JSON_SPELLINGS)[number];

const LENGTH_DELIMITED = 2;
const OFFSET_MINUTES = 150;
const MS_PER_MINUTE = 60_000;

export function encodeLogin(login: Login, spelling: Spelling): Uint8Array {
  switch (spelling) {
    case 'protobuf':
      return encodeProtobuf(login, false);
    case 'protobufReversed':
      return encodeProtobuf(login, true);
    case 'json':
      return toBytes(JSON.stringify(jsonOf(login, utcText(login, shortFraction(login.nanos)))));
    case 'jsonZeros':
      return toBytes(`\n${JSON.stringify(jsonOf(login, utcText(login, fullFraction(login.nanos))), undefined, 1)}\n`);
    case 'jsonOffset':
      return toBytes(JSON.stringify(jsonOf(login, offsetText(login))));
    case 'jsonOriginalNames':
      return toBytes(` ${JSON.stringify(originalNamesOf(login))}`);
  }
}

function encodeProtobuf(login: Login, isReversed: boolean): Uint8Array {
  const writer = protobuf.Writer.create();
  const country = COUNTRIES[login.country];
  const texts: readonly (readonly [number, string | undefined])[] = [
    [1, login.playerId],
    [2, undefined],
    [3, country],
    [4, login.deviceId],
    [5, login.deviceType],
    [6, login.appVersion],
    [7, login.locale],
    [8, login.ip],
  ];
  for (const [number, text] of isReversed ? texts.toReversed() : texts) {
    const tag = (number << 3) | LENGTH_DELIMITED;
    if (number === 2) writeTimestamp(writer.uint32(tag), login);
    else if (text !== undefined) writer.uint32(tag).string(text);
  }
  return writer.finish();
}

function writeTimestamp(writer: protobuf.Writer, login: Login): void {
  writer.fork().uint32(0x08).int64(login.seconds);
  if (login.nanos !== 0) writer.uint32(0x10).int32(login.nanos);
  writer.ldelim();
}

function jsonOf(login: Login, timestamp: string): Record<string, string> {
  const { playerId, deviceId, deviceType, appVersion, locale, ip } = login;
  const country = COUNTRIES[login.country];
  return {
    playerId,
    timestamp,
    ...(country === undefined ? {} : { country }),
    deviceId,
    deviceType,
    appVersion,
    locale,
    ip,
  };
}

/** Other names, other order, and an absent country said aloud. */
function originalNamesOf(login: Login): Record<string, string | null> {
  return {
    country: COUNTRIES[login.country] ?? null,
    app_version: login.appVersion,
    timestamp: utcText(login, shortFraction(login.nanos)),
    player_id: login.playerId,
    device_id: login.deviceId,
  };
}

function utcText(login: Login, fraction: string): string {
  return `${isoTime(login.seconds * 1000).slice(0, 19)}${fraction}Z`;
}

function offsetText(login: Login): string {
  const local = isoTime(login.seconds * 1000 - OFFSET_MINUTES * MS_PER_MINUTE).slice(0, 19);
  return `${local}${shortFraction(login.nanos)}-02:30`;
}

function fullFraction(nanos: number): string {
  return `.${String(nanos).padStart(9, '0')}`;
}

function shortFraction(nanos: number): string {
  return nanos === 0 ? '' : fullFraction(nanos).replace(/0+$/, '');
}

function toBytes(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}
