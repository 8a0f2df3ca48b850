import { describe, expect, it } from 'vitest';
import { parseRedisUrl } from '../../../../runtime/redis/target.ts';

describe('the URL of Redis', () => {
  it.each([
    ['redis://h', { kind: 'server', hosts: [{ host: 'h', port: 6379 }], isTls: false, database: 0, user: undefined }],
    [
      'rediss://u:p%40ss@h:7000/3',
      { isTls: true, user: 'u', password: 'p@ss', database: 3, text: 'rediss://h:7000/3' },
    ],
    ['redis://:p:1@[::1]:7000', { hosts: [{ host: '::1', port: 7000 }], user: undefined, password: 'p:1' }],
    [
      'redis+sentinel://u:p@a,b:27000,c/my%20master/2?sentinel_user=s&sentinel_password=q%26',
      {
        kind: 'sentinel',
        hosts: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 27_000 },
          { host: 'c', port: 26_379 },
        ],
        ...{ master: 'my master', database: 2, user: 'u', password: 'p' },
        sentinel: { user: 's', password: 'q&' },
        text: 'redis+sentinel://a,b:27000,c/my%20master/2',
      },
    ],
    ['rediss+cluster://u:p@a:1,b:2/', { kind: 'cluster', isTls: true, text: 'rediss+cluster://a:1,b:2/' }],
  ])('is read as it is meant: %s', (url, meant) => {
    expect(parseRedisUrl(url)).toMatchObject(meant);
  });

  it.each([
    ['http://h', /must look like redis:/],
    ['redis://', /must look like/],
    ['redis+cluster+sentinel://h', /must look like/],
    ['redis://a:1,b:2', /several hosts.*sentinel.*cluster/],
    ['redis+sentinel://a:1,b:2', /names no master/],
    ['redis+cluster://a/1', /only 0/],
    ['redis://h/x', /number of a database/],
    ['redis://h/1/2', /number of a database/],
    ['redis://h:99999', /port that is none/],
    ['redis://a b', /host that is none/],
    ['redis://u@h', /no password/],
    ['redis://:a%@h', /%25/],
    ['redis://h?family=6', /parameter that nobody knows/],
    ['redis+sentinel://h/m?password=x', /parameter that nobody knows/],
  ])('is refused with what is wrong: %s', (url, words) => {
    expect(() => parseRedisUrl(url)).toThrow(words);
  });

  it.each(['redis://:s3cret@', 'redis://:s3cret@h:x', 'redis://:s3cret%@h', 'redis://u:s3cret@h/x', 's3cret'])(
    'is never repeated by a refusal: %s',
    (url) => {
      const refusal = (() => {
        try {
          return parseRedisUrl(url).text;
        } catch (error) {
          return String(error);
        }
      })();
      expect(refusal).toMatch(/^Error/);
      expect(refusal).not.toContain('s3cret');
    },
  );
});
