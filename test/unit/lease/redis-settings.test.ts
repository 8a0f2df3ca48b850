import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { redisAddressOf, SHARED_RULES, SHARED_SETTINGS } from '../../../lease/config.ts';
import { readSettings } from '../../../runtime/env.ts';

const dir = mkdtempSync(join(tmpdir(), 'redis-settings-'));
const pem = join(dir, 'ca.pem');
const other = join(dir, 'other');
writeFileSync(pem, '-----BEGIN CERTIFICATE-----\n');
writeFileSync(other, 'no certificate');

afterAll(() => rmSync(dir, { recursive: true }));

const read = (environment: Record<string, string>) =>
  redisAddressOf(readSettings(SHARED_SETTINGS, { STREAM: 's', ...environment }, SHARED_RULES));

describe('the settings of Redis', () => {
  it('lead to a server on this machine when nobody says otherwise', () => {
    expect(read({})).toMatchObject({ url: 'redis://127.0.0.1:6379' });
  });

  it('give the text of the files that they name', () => {
    const files = { REDIS_CA_FILE: pem, REDIS_CERT_FILE: pem, REDIS_KEY_FILE: pem };
    const text = '-----BEGIN CERTIFICATE-----\n';
    expect(read({ REDIS_URL: 'rediss://h', ...files }).tls).toEqual({ ca: text, cert: text, key: text });
  });

  it.each([
    [{ REDIS_URL: 'redis+sentinel://a,b' }, /REDIS_URL names no master/],
    [{ REDIS_URL: 'redis://h', REDIS_CA_FILE: pem }, /are of TLS.*must begin with rediss/],
    [{ REDIS_URL: 'rediss://h', REDIS_CERT_FILE: pem }, /belong together/],
    [{ REDIS_URL: 'rediss://h', REDIS_CA_FILE: '/nowhere' }, /REDIS_CA_FILE must be a file that can be read/],
    [{ REDIS_URL: 'rediss://h', REDIS_CA_FILE: other }, /REDIS_CA_FILE must be a file in PEM form/],
  ])('that cannot be meant are refused: %j', (environment, words) => {
    expect(() => read(environment)).toThrow(words);
  });

  it.each(['redis://u:geheim@h/x', 'redis://u:ge/heim@h', 'redis+sentinel://h/m?sentinel_password=geheim&x=1'])(
    'show no password when they are refused: %s',
    (url) => {
      expect(() => read({ REDIS_URL: url })).toThrow(/REDIS_URL/);
      expect(() => read({ REDIS_URL: url })).not.toThrow(/heim/);
    },
  );
});
