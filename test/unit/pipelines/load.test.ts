/** Pipeline files: what the shipped one means, and every fault told at once with its line. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadPipeline } from '../../../pipelines/load.ts';
import { StartRefused } from '../../../runtime/errors.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'pipelines-'));

afterAll(() => rmSync(folder, { recursive: true }));

const GOOD = [
  'source: {format: auto, proto: login/v1/login.proto, message: kinesis_fleet.login.v1.LoginMessageV2}',
  'formats: [{name: Login}]',
  'identity:',
  '  fields: [player_id, timestamp]',
  '  time: timestamp',
  'slotKey: player_id',
  'counters: [{name: format, by: format}]',
  'uniques:',
  '  - {name: players, field: player_id}',
  '  - {name: byCountry, field: player_id, per: country}',
].join('\n');

/** The faults of a text, without the headline. */
function faultsOf(text: string): string[] {
  writeFileSync(join(folder, 'tested.yaml'), text);
  try {
    loadPipeline('tested', folder, join(ROOT, 'proto'));
  } catch (error) {
    if (!(error instanceof StartRefused)) throw error;
    const name = folder.split('/').at(-1)!;
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.replace(`${name}/`, ''));
  }
  return [];
}

describe('the shipped pipeline', () => {
  it('means what a login is', () => {
    const pipeline = loadPipeline('logins', join(ROOT, 'pipelines'));

    expect(pipeline.fields.map(({ name, jsonName, number, kind }) => [name, jsonName, number, kind])).toEqual([
      ['player_id', 'playerId', 1, 'text'],
      ['timestamp', 'timestamp', 2, 'instant'],
      ['country', 'country', 3, 'text'],
    ]);
    expect(pipeline.formats).toEqual([
      { name: 'LoginMessageV2', when: 2 },
      { name: 'LoginMessageV1', when: undefined },
    ]);
    expect(pipeline.identity).toEqual({ fields: [0, 1], time: 1 });
    expect(pipeline.slotKey).toBe(0);
    expect(pipeline.counters).toEqual([{ name: 'format', by: 'format' }]);
    expect(pipeline.uniques).toEqual([
      { name: 'players', field: 0, per: undefined, isApproximate: false },
      { name: 'playersByCountry', field: 0, per: 2, isApproximate: false },
    ]);
  });
});

describe('a pipeline file', () => {
  it('may leave out what has a default: the slot key is the first field of the identity', () => {
    const text = GOOD.replace(/slotKey.*\n/, '').replace(/counters[\s\S]*/, '');
    writeFileSync(join(folder, 'short.yaml'), text);

    const pipeline = loadPipeline('short', folder, join(ROOT, 'proto'));

    expect(faultsOf(GOOD)).toEqual([]);
    expect(faultsOf(GOOD.replace('per: country', 'approximate: about'))).toEqual([
      'tested.yaml:10 uniques[1].approximate: Invalid input: expected boolean, received string',
    ]);
    expect(pipeline).toMatchObject({ name: 'short', slotKey: 0, counters: [], uniques: [] });
  });

  it('describes its identity by names alone, so that unrelated changes keep the ledger', () => {
    writeFileSync(join(folder, 'a.yaml'), GOOD);
    writeFileSync(join(folder, 'b.yaml'), GOOD.replace(/counters[\s\S]*/, ''));
    writeFileSync(join(folder, 'c.yaml'), GOOD.replace('slotKey: player_id', 'slotKey: timestamp'));

    const [a, b, c] = ['a', 'b', 'c'].map(
      (name) => loadPipeline(name, folder, join(ROOT, 'proto')).identityDescription,
    );

    expect(a).toBe(b);
    expect(a).not.toBe(c);
  });

  it('tells all its faults at once, those of shape and those of meaning, each with its line and path', () => {
    const faults = faultsOf(
      GOOD.replace('slotKey: player_id', 'slotkey: player_id')
        .replace('format: auto', 'format: avro')
        .replace('time: timestamp', 'time: [timestamp]'),
    );

    expect(faults).toEqual([
      'tested.yaml:1 source.format: Invalid option: expected one of "auto"|"protobuf"|"json"',
      'tested.yaml:5 identity.time: Invalid input: expected string, received array',
      'tested.yaml:6 slotkey: unknown key',
    ]);
  });

  it.each([
    [
      'per: country',
      'per: contry',
      'tested.yaml:10 uniques[1].per: no field "contry" in LoginMessageV2 (did you mean country?)',
    ],
    [
      '[player_id, timestamp]',
      '[playerId, timestamp]',
      'tested.yaml:4 identity.fields[0]: no field "playerId" in LoginMessageV2 (did you mean player_id?)',
    ],
    [
      'per: country',
      'per: timestamp',
      'tested.yaml:10 uniques[1].per: field "timestamp" is a time; this must be a text',
    ],
    [
      'time: timestamp',
      'time: player_id',
      'tested.yaml:5 identity.time: field "player_id" is a text; this must be a time',
    ],
    [
      '[player_id, timestamp]',
      '[player_id]',
      'tested.yaml:5 identity.time: "timestamp" must be one of identity.fields',
    ],
    [
      '[player_id, timestamp]',
      '[player_id, timestamp, player_id]',
      'tested.yaml:4 identity.fields: names a field twice',
    ],
    [
      'slotKey: player_id',
      'slotKey: country',
      'tested.yaml:6 slotKey: "country" must be one of identity.fields: copies must meet in one slot',
    ],
    [
      '[{name: Login}]',
      '[{name: V1}, {name: V2, when: country}]',
      'tested.yaml:2 formats[1].when: the last format must have none: it takes what the others leave',
    ],
    [
      '[{name: Login}]',
      '[{name: V1}, {name: V2}]',
      'tested.yaml:2 formats[0]: only the last format may have no "when": those after it would never match',
    ],
    ['name: byCountry', 'name: players', 'tested.yaml:10 uniques[1].name: "players" is there twice'],
    ['by: format', 'by: timestamp', 'tested.yaml:7 counters[0].by: field "timestamp" is a time; this must be a text'],
    ['login.proto', 'logon.proto', 'tested.yaml:1 source.proto: there is no proto file login/v1/logon.proto'],
    [
      'LoginMessageV2',
      'LoginMessageV3',
      'tested.yaml:1 source.message: no message "kinesis_fleet.login.v1.LoginMessageV3" in login/v1/login.proto',
    ],
    [
      'login/v1/login.proto',
      '../secret.proto',
      'tested.yaml:1 source.proto: must be a .proto file below the proto folder',
    ],
    [
      'name: byCountry',
      'name: a:b',
      'tested.yaml:10 uniques[1].name: must be a name: a letter, then letters, digits, "_" or "-" (64 at most)',
    ],
    ['  fields: [player_id, timestamp]\n', '', 'tested.yaml:4 identity.fields: missing (array)'],
  ])('with %j written as %j is refused', (from, to, fault) => {
    expect(faultsOf(GOOD.replace(from, to))).toContain(fault);
  });

  it('that is no YAML is refused with the line, as is a key that is there twice', () => {
    expect(faultsOf(`${GOOD}\nslotKey: [`)[0]).toMatch(/^tested\.yaml:11 /);
    expect(faultsOf(`${GOOD}\nslotKey: player_id`)[0]).toMatch(/^tested\.yaml:11 .*unique/);
    expect(faultsOf('')[0]).toMatch(/^tested\.yaml:1 the file: /);
  });

  it('that is not there is refused with the names of those that are', () => {
    expect(() => loadPipeline('logons', join(ROOT, 'pipelines'))).toThrow('are: logins');
    expect(() => loadPipeline('../package', join(ROOT, 'pipelines'))).toThrow(StartRefused);
    expect(() => loadPipeline('logins', join(ROOT, 'nowhere'))).toThrow('cannot be read: nowhere');
  });
});
