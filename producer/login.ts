/**
 * Logins as a pure function of seed and index: login i can be made again at any time, so copies need no memory. No two
 * indexes have the same player and instant: their instants differ.
 */
import { Random } from './random.ts';

export interface Login {
  readonly index: number;
  /** Number of the player; playerId follows from it. */
  readonly player: number;
  readonly playerId: string;
  /** Index into COUNTRIES, or −1: a V1 login, which has none. */
  readonly country: number;
  readonly seconds: number;
  readonly nanos: number;
  readonly deviceId: string;
  readonly deviceType: string;
  readonly appVersion: string;
  readonly locale: string;
  readonly ip: string;
}

export interface LoginOptions {
  readonly seed: number;
  /** Time of the first login, milliseconds since 1970, and the mean distance of two. */
  readonly startMs: number;
  readonly stepMs: number;
  readonly players: number;
  /** At most COUNTRIES.length. */
  readonly countries: number;
  /** Share of logins with a country. */
  readonly v2Share: number;
}

export const COUNTRIES: readonly string[] = (
  'DE US FR GB JP BR IN PL SE ES IT NL CA MX AR CL CO PE AU NZ KR CN TW TH VN ID MY SG PH TR ' +
  'GR PT IE NO FI DK CZ SK HU RO BG HR RS UA LT LV EE CH AT BE ZA NG KE EG MA SA AE IL PK BD'
).split(' ');

const LOGIN_STREAM = 1;
const PLAYER_STREAM = 2;
const AWAY_FROM_HOME = 0.05;
/** Every 41st player has an id that is unpleasant to decode. */
const ODD_PLAYERS = 41;
const SHUFFLED_TOGETHER = 64;
const DEVICE_TYPES = ['android', 'iOS', 'windows', 'web'];
const VERSIONS = ['4.12.3', '4.12.1', '4.11.0', '3.9.17'];
const LOCALES = ['de_DE', 'en_US', 'fr_FR', 'ja_JP', 'pt_BR'];

export function loginAt(options: LoginOptions, index: number): Login {
  const random = new Random(options.seed, LOGIN_STREAM, index);
  const player = random.below(options.players);
  const own = new Random(options.seed, PLAYER_STREAM, player);
  const home = own.below(options.countries);
  const isV2 = random.fraction() < options.v2Share;
  const country = random.fraction() < AWAY_FROM_HOME ? random.below(options.countries) : home;
  return {
    index,
    player,
    playerId: playerIdOf(player, own),
    country: isV2 ? country : -1,
    ...instantOf(options, index, random),
    deviceId: hex(own, 28),
    deviceType: own.pick(DEVICE_TYPES),
    appVersion: random.pick(VERSIONS),
    locale: own.pick(LOCALES),
    ip: `203.0.${random.below(256)}.${random.below(256)}`,
  };
}

/** Each index has a stretch of stepMs to itself; neighbours are shuffled, so that logins arrive a little out of order. */
function instantOf(options: LoginOptions, index: number, random: Random): { seconds: number; nanos: number } {
  const within = index % SHUFFLED_TOGETHER;
  const place = index - within + ((within * 37 + 11) % SHUFFLED_TOGETHER);
  const stepMicros = Math.max(1, Math.round(options.stepMs * 1000));
  const micros = options.startMs * 1000 + place * stepMicros + random.below(stepMicros);
  const seconds = Math.floor(micros / 1_000_000);
  return { seconds, nanos: (micros - seconds * 1_000_000) * 1000 };
}

/** Distinct for distinct players, 36 characters for most of them. */
function playerIdOf(player: number, random: Random): string {
  const number = player.toString(16).padStart(8, '0');
  if (player % ODD_PLAYERS !== 7) {
    return `${number}-${hex(random, 4)}-4${hex(random, 3)}-a${hex(random, 3)}-${hex(random, 12)}`;
  }
  return random.pick([
    `{"playerId":"${number}"}`,
    `\n\t {${number}`,
    `spieler-ÄÖ-${number}-東京-🎮`,
    `${number}${'{'.repeat(0x7b - number.length)}`,
    `${number} ${'x'.repeat(0x20 - number.length - 1)}`,
    `"${number}\\`,
  ]);
}

function hex(random: Random, digits: number): string {
  let text = '';
  while (text.length < digits) text += random.bits().toString(16).padStart(8, '0');
  return text.slice(0, digits);
}
