import { describe, expect, it } from 'vitest';
import { LeaseCache } from '../../../controller/lease-cache.ts';
import type { Lease } from '../../../lease/lease.ts';
import { FakeLeaseStore } from '../../support/fake-lease-store.ts';
import { buildLease } from '../../support/lease-builder.ts';

function create(...leases: readonly Lease[]): {
  cache: LeaseCache;
  rows: Map<string, Lease>;
  store: FakeLeaseStore;
  lost: string[];
} {
  const rows = new Map(leases.map((lease) => [lease.key, lease]));
  const store = new FakeLeaseStore(rows);
  const lost: string[] = [];
  return { rows, store, lost, cache: new LeaseCache({ store, onLost: (operation) => lost.push(operation) }) };
}

const a = buildLease({ key: 'a' });
const b = buildLease({ key: 'b' });

describe('the lease cache', () => {
  it('knows after a scan what is there, and no longer what is not', async () => {
    const { cache, rows } = create(a, b);
    expect(cache.isComplete()).toBe(false);
    await cache.scan();
    expect(cache.isComplete()).toBe(true);
    rows.delete('b');
    await cache.scan();
    expect(cache.all().map((lease) => lease.key)).toEqual(['a']);
  });

  it('keeps a write that was answered while an older scan was still on its way', async () => {
    const { cache, store } = create(a);
    await cache.scan();
    let release: () => void = () => undefined;
    const held = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined);
    });
    const old = await store.readAll();
    store.readAll = async () => {
      await held;
      return old;
    };
    const scan = cache.scan();
    await cache.assign(a, 'w1');
    await cache.create({ key: 'c', checkpoint: { kind: 'TRIM_HORIZON' }, parents: [] });
    release();
    await scan;
    expect(cache.get('a')?.owner).toBe('w1');
    expect(cache.get('c')).toBeDefined();
  });

  it('learns the true row from a lost race, says so, and doubts itself until the next scan', async () => {
    const { cache, rows, lost } = create(a);
    await cache.scan();
    rows.set('a', { ...a, owner: 'w2', generation: 1 });
    expect(await cache.assign(a, 'w1')).toBe(false);
    expect(cache.get('a')?.owner).toBe('w2');
    expect(lost).toEqual(['assign']);
    expect(cache.isDoubtful()).toBe(true);
    await cache.scan();
    expect(cache.isDoubtful()).toBe(false);
  });

  it('takes a row that is there already for created', async () => {
    const { cache, lost } = create(a);
    expect(await cache.create({ key: 'a', checkpoint: { kind: 'TRIM_HORIZON' }, parents: [] })).toBe(false);
    expect(cache.get('a')).toEqual(a);
    expect(lost).toEqual([]);
  });

  it('remembers hints once, and none for rows that it does not know', async () => {
    const { cache } = create(a);
    await cache.scan();
    cache.hint('a');
    cache.hint('a');
    cache.hint('forged');
    expect(cache.takeHinted()).toEqual(['a']);
    expect(cache.takeHinted()).toEqual([]);
  });

  it('forgets a row that a read did not find', async () => {
    const { cache, rows } = create(a);
    await cache.scan();
    rows.delete('a');
    await cache.refresh('a');
    expect(cache.get('a')).toBeUndefined();
    expect(cache.all()).toEqual([]);
  });
});
