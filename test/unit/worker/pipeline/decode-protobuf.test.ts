/** Protobuf records on the wire, byte by byte: what counts, what merges, what is malformed. */
import { describe, expect, it } from 'vitest';
import { decodeOne, hex } from '../../../support/decoded-logins.ts';

const PLAYER = '0a 02 70 31';
const TIME = '12 04 08 05 10 07';
const V1 = { format: 'LoginMessageV1', player_id: 'p1', timestamp: '5.7' };

describe('a protobuf login', () => {
  it.each([
    ['has its identity and no country: V1', `${PLAYER} ${TIME}`, V1],
    ['carries a country: V2', `${PLAYER} ${TIME} 1a 02 44 45`, { ...V1, format: 'LoginMessageV2', country: 'DE' }],
    ['carries an empty country: V1', `${PLAYER} ${TIME} 1a 00`, V1],
    ['loses its country to a later empty one: V1', `${PLAYER} ${TIME} 1a 02 44 45 1a 00`, V1],
    ['has an empty timestamp message: 1970', `${PLAYER} 12 00`, { ...V1, timestamp: '0.0' }],
    ['has its fields in any order', `${TIME} ${PLAYER}`, V1],
    ['says its player twice: the last one counts', `0a 01 78 ${PLAYER} ${TIME}`, V1],
    ['says its timestamp twice: the two merge', `${PLAYER} 12 02 08 05 12 02 10 07`, V1],
    ['has a time before 1970', `${PLAYER} 12 0b 08 ff ff ff ff ff ff ff ff ff 01`, { ...V1, timestamp: '-1.0' }],
    [
      'has a time long before 1970',
      `${PLAYER} 12 0b 08 80 92 b8 c3 98 fe ff ff ff 01`,
      { ...V1, timestamp: '-62135596800.0' },
    ],
    ['has a time in 9999', `${PLAYER} 12 07 08 ff 82 d1 ff af 07`, { ...V1, timestamp: '253402300799.0' }],
    ['has padded varints', `0a 82 00 70 31 92 00 06 08 85 80 00 10 07`, V1],
    [
      'has unknown fields of every wire type',
      `${PLAYER} 98 01 01 a1 01 0000000000000000 aa 01 01 ff b3 01 08 01 b4 01 bd 01 00000000 ${TIME}`,
      V1,
    ],
    ['has unknown fields in its timestamp', `${PLAYER} 12 08 08 05 1a 02 ff ff 10 07`, V1],
    ['has unknown text that is no UTF-8', `${PLAYER} ${TIME} 22 01 ff`, V1],
  ])('%s', (_, bytes, shown) => {
    expect(decodeOne(hex(bytes))).toEqual(shown);
  });
});

describe('a protobuf record is undecodable when it', () => {
  it.each([
    ['has no player', TIME, 'missing_player_id'],
    ['has an empty player', `0a 00 ${TIME}`, 'missing_player_id'],
    ['loses its player to a later empty one', `${PLAYER} ${TIME} 0a 00`, 'missing_player_id'],
    ['has no timestamp', PLAYER, 'missing_timestamp'],
    ['ends within a text', '0a 03 70 31', 'malformed_protobuf'],
    ['ends within its last field, behind a whole identity', `${PLAYER} ${TIME} 42 05 31`, 'malformed_protobuf'],
    ['ends within a varint', `${PLAYER} ${TIME} 98 01 80`, 'malformed_protobuf'],
    ['has a timestamp that is longer than the record', `${PLAYER} 12 05 08 05 10 07`, 'malformed_protobuf'],
    ['has a timestamp whose content is longer than itself', `${PLAYER} 12 03 08 05 10 07`, 'malformed_protobuf'],
    ['has a player that is no UTF-8', `0a 02 c3 28 ${TIME}`, 'malformed_protobuf'],
    ['has a number as its player', `08 01 ${TIME}`, 'malformed_protobuf'],
    ['has a number as its timestamp', `${PLAYER} 10 01`, 'malformed_protobuf'],
    ['has a text as its seconds', `${PLAYER} 12 03 0a 01 31`, 'malformed_protobuf'],
    ['has field number 0', `${PLAYER} ${TIME} 02 01 00`, 'malformed_protobuf'],
    ['has an end without a group', `${PLAYER} ${TIME} b4 01`, 'malformed_protobuf'],
    ['has a group without an end', `${PLAYER} ${TIME} b3 01`, 'malformed_protobuf'],
    ['has a wire type that does not exist', `${PLAYER} ${TIME} 9e 01`, 'malformed_protobuf'],
    ['has a varint of eleven bytes', `${PLAYER} ${TIME} 98 01 ff ff ff ff ff ff ff ff ff ff 01`, 'malformed_protobuf'],
    ['has seconds of eleven bytes', `${PLAYER} 12 0c 08 ff ff ff ff ff ff ff ff ff ff 01`, 'malformed_protobuf'],
    ['has nanos of a whole second', `${PLAYER} 12 06 10 80 94 eb dc 03`, 'bad_timestamp'],
    ['has negative nanos', `${PLAYER} 12 0b 10 ff ff ff ff ff ff ff ff ff 01`, 'bad_timestamp'],
    ['has a time after 9999', `${PLAYER} 12 07 08 80 83 d1 ff af 07`, 'bad_timestamp'],
    ['is empty', '', 'empty'],
  ])('%s', (_, bytes, reason) => {
    expect(decodeOne(hex(bytes))).toBe(reason);
  });
});
