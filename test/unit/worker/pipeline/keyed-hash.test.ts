/** The keyed hash against those who know how it works but not its seed. */
import { describe, expect, it } from 'vitest';
import xxhash from 'xxhash-wasm';
import { KeyedHash } from '../../../../worker/pipeline/keyed-hash.ts';

const SEEDS = ['0123456789abcdef0123456789abcdef', 'fedcba9876543210fedcba9876543210'];
/** Behind a length of 4 bytes and 4 bytes of text, these two words of 8 bytes collide in xxHash64 under every seed. */
const TWINS = ['706c617965722d313233343536373839', '507962116327a51032333435e582c54f'];

const texts = TWINS.map((twin) => Buffer.concat([Buffer.from('abcd'), Buffer.from(twin, 'hex')]));
const xx = await xxhash();

function hashOf(hash: KeyedHash, text: Uint8Array): string {
  hash.begin();
  hash.text(text, 0, text.length);
  hash.finish('identity');
  return `${hash.high}.${hash.low}`;
}

describe('the keyed hash', () => {
  it('keeps texts apart that collide in the bare hash whatever its seed', () => {
    const length = Buffer.from([texts[0]!.length, 0, 0, 0]);
    const bare = texts.map((text) => Buffer.concat([length, text]));
    for (const seed of [0n, 1n, 0x123456789abcdefn]) {
      expect(xx.h64Raw(bare[0]!, seed)).toBe(xx.h64Raw(bare[1]!, seed));
    }

    for (const seed of SEEDS) {
      const hash = new KeyedHash(xx, seed);
      expect(hashOf(hash, texts[0]!)).not.toBe(hashOf(hash, texts[1]!));
    }
  });

  it('gives the same value for the same text, whatever was hashed before and however long', () => {
    const hash = new KeyedHash(xx, SEEDS[0]!);
    const long = Buffer.alloc(1_000_000, 'long ');
    const before = [hashOf(hash, texts[0]!), hashOf(hash, long)];

    const after = [hashOf(hash, texts[0]!), hashOf(hash, long)];

    expect(after).toEqual(before);
    expect(hashOf(new KeyedHash(xx, SEEDS[0]!), long)).toBe(before[1]);
    expect(hashOf(new KeyedHash(xx, SEEDS[1]!), long)).not.toBe(before[1]);
  });

  it('never changes: identities of an old ledger must be found by a new version', () => {
    expect(hashOf(new KeyedHash(xx, SEEDS[0]!), texts[0]!)).toBe('2902756136.4136524688');
  });

  it('differs by use', () => {
    const hash = new KeyedHash(xx, SEEDS[0]!);
    hash.begin();
    hash.instant(5, 7);
    const values = (['identity', 'bucket', 'field', 'name'] as const).map((use) => {
      hash.finish(use);
      return hash.bits52;
    });

    expect(new Set(values).size).toBe(4);
  });
});
