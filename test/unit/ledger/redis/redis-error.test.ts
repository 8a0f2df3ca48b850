import { describe, expect, it } from 'vitest';
import { LedgerUnavailable } from '../../../../ledger/ledger.ts';
import { redisErrorCode, translateRedisError } from '../../../../ledger/redis/redis-error.ts';
import { FleetError } from '../../../../runtime/errors.ts';

function reply(message: string): Error {
  const error = new Error(message);
  error.name = 'ReplyError';
  return Object.assign(error, { command: { name: 'auth', args: ['s3cret'] } });
}

describe("an error of Redis's client", () => {
  it('is passing when the server or its place in a cluster is', () => {
    const passing = [
      'LOADING Redis is loading the dataset in memory',
      "READONLY You can't write against a read only replica.",
      "OOM command not allowed when used memory > 'maxmemory'. script: f0, on @user_script:1.",
      'MISCONF Redis is configured to save RDB snapshots',
      'NOREPLICAS Not enough good replicas to write.',
      'BUSY Redis is busy running a script.',
      'MASTERDOWN Link with MASTER is down',
      'MOVED 3999 127.0.0.1:6381',
      'ASK 3999 127.0.0.1:6381',
      'TRYAGAIN Multiple keys request during rehashing of slot',
      'CLUSTERDOWN Hash slot not served',
    ];
    for (const message of passing) {
      const error = translateRedisError(reply(message));
      expect(error).toBeInstanceOf(LedgerUnavailable);
      expect(error.fields).toEqual({ reason: message.split(' ')[0] });
    }
  });

  it('is passing too when Redis 6.2 wraps it in an error of the script', () => {
    const handedOn = '@user_script: 9: -OOM command not allowed when used';
    for (const wrapped of [`ERR Error running script (call to f_08c3): @user_script:9: ${handedOn}`, handedOn]) {
      expect(redisErrorCode(reply(wrapped))).toBe('OOM');
      expect(translateRedisError(reply(wrapped))).toBeInstanceOf(LedgerUnavailable);
    }
  });

  it('is passing when there was no reply at all', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' });
    expect(translateRedisError(refused).fields).toEqual({ reason: 'ECONNREFUSED' });
  });

  it('is fatal when the script or its data is at fault', () => {
    for (const message of ['WRONGTYPE Operation against a key', 'ERR Error running script: @user_script:9: a nil']) {
      const error = translateRedisError(reply(message));
      expect(error).not.toBeInstanceOf(LedgerUnavailable);
      expect(error).toBeInstanceOf(FleetError);
      expect(error.disposition).toBe('fatal');
    }
  });

  it('carries nothing of the command, in which a password may stand', () => {
    const seen = [reply('WRONGPASS invalid'), reply('ERR odd')].map((error) => translateRedisError(error));
    for (const { cause, fields, message } of seen) {
      expect(Object.keys(cause ?? {})).not.toContain('command');
      expect(JSON.stringify([fields, message])).not.toContain('s3cret');
    }
  });
});
