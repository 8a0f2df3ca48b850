import { describe, expect, it } from 'vitest';
import { createLogger, errorFields } from '../../../runtime/logger.ts';

function lines(write: (logger: ReturnType<typeof createLogger>) => void): Record<string, unknown>[] {
  const texts: string[] = [];
  write(createLogger('info', { process: 'worker' }, { write: (text: string) => texts.push(text) }));
  return texts.map((text) => JSON.parse(text) as Record<string, unknown>);
}

describe('a log line', () => {
  it('is JSON with a constant message and fields, those of its logger among them', () => {
    const [line] = lines((logger) => logger.child({ shard: 's-1' }).info('lease lost', { reason: 'fenced' }));
    expect(line).toMatchObject({
      level: 'info',
      message: 'lease lost',
      process: 'worker',
      shard: 's-1',
      reason: 'fenced',
    });
  });

  it('is not written below the level', () => {
    expect(lines((logger) => logger.debug('detail'))).toEqual([]);
  });

  it('never carries a field named like a secret', () => {
    const [line] = lines((logger) => logger.info('connected', { password: 'geheim', redis: { password: 'geheim' } }));
    expect(JSON.stringify(line)).not.toContain('geheim');
  });

  it('of an error names it and what caused it', () => {
    const error = new Error('the table did not answer', { cause: new Error('ECONNRESET') });
    expect(errorFields(error)).toMatchObject({ reason: 'the table did not answer', cause: 'ECONNRESET' });
  });
});
