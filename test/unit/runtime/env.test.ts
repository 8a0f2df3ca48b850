import { describe, expect, it } from 'vitest';
import { choice, flag, integer, optionalText, readSettings, type Setting, text } from '../../../runtime/env.ts';

const redis: Setting<string> = {
  variable: 'REDIS_URL',
  fallback: 'redis://127.0.0.1:6379',
  description: 'where',
  parse(given) {
    if (!given.startsWith('redis://')) throw new Error('must begin with redis://');
    return given;
  },
};
const DECLARED = {
  name: text('NAME', undefined, 'who it is', /^[a-z]+$/),
  count: integer('COUNT', '5', { min: 1, max: 10 }, 'how many'),
  isOn: flag('IS_ON', 'true', 'whether'),
  level: choice('LEVEL', 'info', ['info', 'warn'], 'least level'),
  redis,
  folder: optionalText('FOLDER', 'another folder'),
};

describe('settings', () => {
  it('are read with their defaults; an empty variable counts as unset', () => {
    expect(readSettings(DECLARED, { NAME: 'fleet', COUNT: '' })).toEqual({
      ...{ name: 'fleet', count: 5, isOn: true, level: 'info', redis: 'redis://127.0.0.1:6379', folder: undefined },
    });
  });

  it('that are wrong are all named in one refusal', () => {
    const read = (): unknown =>
      readSettings(DECLARED, { NAME: 'A1', COUNT: '11', IS_ON: 'yes', LEVEL: 'all', REDIS_URL: 'http://x' });
    expect(read).toThrow(/^5 setting\(s\) are wrong/);
    for (const variable of ['NAME', 'COUNT', 'IS_ON', 'LEVEL', 'REDIS_URL'])
      expect(read).toThrow(new RegExp(`${variable} must`));
  });

  it('that are required and missing are named with what they are for', () => {
    expect(() => readSettings(DECLARED, {})).toThrow('NAME is required: who it is');
  });

  it('never show a password in a refusal', () => {
    const read = (): unknown => readSettings(DECLARED, { NAME: 'x', REDIS_URL: 'http://user:geheim@host' });
    expect(read).toThrow(/\*\*\*@host/);
    expect(read).not.toThrow(/geheim/);
  });

  it.each(['1.5', '0x10', '1e1', ' 5', 'five', '0', '11'])('take no whole number from %j', (given) => {
    expect(() => readSettings(DECLARED, { NAME: 'x', COUNT: given })).toThrow('must be a whole number from 1 to 10');
  });

  it('that contradict each other are refused by the rule that says so', () => {
    const rules = [(settings: { count: number }) => (settings.count > 3 ? 'COUNT must be small' : undefined)];
    expect(() => readSettings({ count: DECLARED.count }, {}, rules)).toThrow('COUNT must be small');
  });
});
