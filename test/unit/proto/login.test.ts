/** The wire contract: field numbers and types never change, because records on streams do not. */
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';

const root = protobuf.loadSync(join(import.meta.dirname, '../../../proto/login/v1/login.proto'));

const fieldsOf = (message: string): Record<string, string> =>
  Object.fromEntries(
    root
      .lookupType(`kinesis_fleet.login.v1.${message}`)
      .fieldsArray.map(({ id, name, type }) => [id, `${type} ${name}`]),
  );

const V1 = {
  1: 'string playerId',
  2: 'google.protobuf.Timestamp timestamp',
  4: 'string deviceId',
  5: 'string deviceType',
  6: 'string appVersion',
  7: 'string locale',
  8: 'string ip',
};

describe('the login messages', () => {
  it('keep their field numbers and types, and V2 is V1 with a country', () => {
    expect(fieldsOf('LoginMessageV1')).toEqual(V1);
    expect(fieldsOf('LoginMessageV2')).toEqual({ ...V1, 3: 'string country' });
  });
});
