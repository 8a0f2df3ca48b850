import { describe, expect, it } from 'vitest';
import { readFaultRequests } from '../../../../local/kinesis/fault-rule.ts';
import { type CallTarget, Faults } from '../../../../local/kinesis/faults.ts';

function faultsWith(...rules: unknown[]): Faults {
  const faults = new Faults(42);
  for (const request of readFaultRequests(JSON.stringify(rules))) {
    if (request.kind === 'rule') faults.add(request.rule);
  }
  return faults;
}

function call(overrides: Partial<CallTarget> = {}): CallTarget {
  return { operation: 'GetRecords', streamName: 's', shardId: 'shardId-000000000000', ...overrides };
}

function kinds(faults: Faults, target = call()): string[] {
  return faults.effectsFor(target, 'before').map((effect) => effect.kind);
}

describe('the fault rules', () => {
  it('add delays up until the first effect that ends the call', () => {
    const faults = faultsWith({ delayMs: 5 }, { delayMs: 7 }, { drop: true }, { hang: true });

    expect(kinds(faults)).toEqual(['delay', 'delay', 'drop']);
  });

  it('hit only the operation, stream and shard that they name', () => {
    const faults = faultsWith({
      operation: 'GetRecords',
      streamName: 's',
      shardId: 'shardId-000000000000',
      drop: true,
    });

    expect(kinds(faults)).toEqual(['drop']);
    expect(kinds(faults, call({ operation: 'PutRecords' }))).toEqual([]);
    expect(kinds(faults, call({ streamName: 'other' }))).toEqual([]);
    expect(kinds(faults, call({ shardId: undefined }))).toEqual([]);
  });

  it('stop after their count', () => {
    const faults = faultsWith({ error: 'X', count: 2 });

    expect([1, 2, 3].map(() => kinds(faults).length)).toEqual([1, 1, 0]);
  });

  it('fire at their rate, the same calls for the same seed', () => {
    const run = (): number[] => {
      const faults = faultsWith({ error: 'X', rate: 0.25 });
      return Array.from({ length: 2000 }, () => kinds(faults).length);
    };

    const fired = run();

    expect(fired).toEqual(run());
    const share = fired.reduce((sum, hit) => sum + hit, 0) / fired.length;
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.3);
  });

  it('keep the answer for the phase after the call', () => {
    const faults = faultsWith({ drop: true, phase: 'after' });

    expect(kinds(faults)).toEqual([]);
    expect(faults.effectsFor(call(), 'after')).toEqual([{ kind: 'drop' }]);
  });

  it('fail entries of PutRecords by shard, never the call', () => {
    const faults = faultsWith({ operation: 'PutRecords', entryError: 'InternalFailure', shardId: 'a' });

    expect(kinds(faults, call({ operation: 'PutRecords', shardId: 'a' }))).toEqual([]);
    expect(faults.entryFault('s', 'a')).toMatchObject({ name: 'InternalFailure' });
    expect(faults.entryFault('s', 'b')).toBeUndefined();
  });

  it('are removed one by one or all at once', () => {
    const faults = faultsWith({ drop: true }, { hang: true }, { delayMs: 1 });

    expect(faults.remove(2)).toBe(1);
    expect(faults.rules.map((rule) => rule.effect.kind)).toEqual(['drop', 'delay']);
    expect(faults.remove()).toBe(2);
  });

  it('expire the iterators handed out so far, of the shard they name', () => {
    const faults = new Faults(1);
    const iterator = { serial: faults.nextIteratorSerial(), streamName: 's', shardId: 'a' };
    faults.expireIterators('s', 'a');

    expect(faults.isIteratorExpired(iterator)).toBe(true);
    expect(faults.isIteratorExpired({ ...iterator, shardId: 'b' })).toBe(false);
    expect(faults.isIteratorExpired({ ...iterator, serial: faults.nextIteratorSerial() })).toBe(false);
  });

  it.each([
    ['no effect', '{"operation":"GetRecords"}'],
    ['two effects', '{"hang":true,"drop":true}'],
    ['an unknown member', '{"hang":true,"often":true}'],
    ['a rate above one', '{"hang":true,"rate":2}'],
    ['no JSON', 'hang'],
  ])('are refused with %s', (_, text) => {
    expect(() => readFaultRequests(text)).toThrow();
  });
});
