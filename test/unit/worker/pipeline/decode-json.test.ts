/** JSON records by the protobuf JSON mapping: names, absence, types, and text that is hard to carry. */
import { describe, expect, it } from 'vitest';
import { decodeOne, hex } from '../../../support/decoded-logins.ts';

const TIME = '"timestamp":"2023-08-01T12:00:00Z"';
const V1 = { format: 'LoginMessageV1', player_id: 'p1', timestamp: '1690891200.0' };
const V2 = { ...V1, format: 'LoginMessageV2', country: 'DE' };

describe('a JSON login', () => {
  it.each([
    ['has its identity and no country: V1', `{"playerId":"p1",${TIME}}`, V1],
    ['carries a country: V2', `{"playerId":"p1",${TIME},"country":"DE"}`, V2],
    ['carries an empty country: V1', `{"playerId":"p1",${TIME},"country":""}`, V1],
    ['carries null as country: V1', `{"playerId":"p1",${TIME},"country":null}`, V1],
    ['uses the names of the .proto file', `{"player_id":"p1",${TIME}}`, V1],
    ['has both names: the camelCase one counts', `{"player_id":"x","playerId":"p1",${TIME}}`, V1],
    ['has both names, one of them null', `{"player_id":"p1","playerId":null,${TIME}}`, V1],
    ['says its player twice: the last one counts', `{"playerId":"x","playerId":"p1",${TIME}}`, V1],
    ['has unknown keys of any type', `{"a":[{"b":1}],"playerId":"p1",${TIME},"__proto__":{"country":"FR"}}`, V1],
    ['begins with a byte order mark', `\ufeff{"playerId":"p1",${TIME}}`, V1],
    ['has white space around it', `\n\t\r {"playerId":"p1",${TIME}}\n`, V1],
    ['has escapes', `{"player\\u0049d":"\\u00e4\\ud83d\\ude00\\n",${TIME}}`, { ...V1, player_id: 'ä😀\n' }],
    ['has plain text beyond ASCII', `{"playerId":"東京 🎮",${TIME}}`, { ...V1, player_id: '東京 🎮' }],
    ['has a long text', `{"playerId":"${'ä'.repeat(40_000)}",${TIME}}`, { ...V1, player_id: 'ä'.repeat(40_000) }],
  ])('%s', (_, text, shown) => {
    expect(decodeOne(text)).toEqual(shown);
  });
});

describe('a JSON record is undecodable when it', () => {
  it.each([
    ['has no player', `{${TIME}}`, 'missing_player_id'],
    ['has an empty player', `{"playerId":"",${TIME}}`, 'missing_player_id'],
    ['has null as player', `{"playerId":null,${TIME}}`, 'missing_player_id'],
    ['has no timestamp', '{"playerId":"p1"}', 'missing_timestamp'],
    ['has nothing', '{}', 'missing_player_id'],
    ['inherits its player', `{"__proto__":{"playerId":"p1"},${TIME}}`, 'missing_player_id'],
    ['has a number as its player', `{"playerId":1,${TIME}}`, 'wrong_type'],
    ['has an object as its player', `{"playerId":{},${TIME}}`, 'wrong_type'],
    ['has a number as its timestamp', '{"playerId":"p1","timestamp":1690891200}', 'wrong_type'],
    ['has a number as its country', `{"playerId":"p1",${TIME},"country":49}`, 'wrong_type'],
    ['has half a surrogate pair', `{"playerId":"p\\ud83d",${TIME}}`, 'wrong_type'],
    ['has an empty timestamp', '{"playerId":"p1","timestamp":""}', 'bad_timestamp'],
    ['has a timestamp without an offset', '{"playerId":"p1","timestamp":"2023-08-01T12:00:00"}', 'bad_timestamp'],
    ['is an array', `[{"playerId":"p1",${TIME}}]`, 'not_an_object'],
    ['is a text', '"p1"', 'not_an_object'],
    ['is null', 'null', 'not_an_object'],
    ['is a number', '12345', 'not_an_object'],
    ['is cut off', `{"playerId":"p1",${TIME}`, 'malformed_json'],
    ['has something behind it', `{"playerId":"p1",${TIME}}{}`, 'malformed_json'],
    ['is nested without an end', '['.repeat(100_000), 'malformed_json'],
  ])('%s', (_, text, reason) => {
    expect(decodeOne(text)).toBe(reason);
  });

  it('has bytes that are no UTF-8, anywhere', () => {
    const record = Buffer.concat([Buffer.from(`{"playerId":"p1",${TIME},"x":"`), hex('c328'), Buffer.from('"}')]);

    expect(decodeOne(record)).toBe('malformed_json');
  });
});
