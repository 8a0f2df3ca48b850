import { describe, expect, it } from 'vitest';
import { IdTable } from '../../../../worker/ledger/id-table.ts';
import { MemberMemory } from '../../../../worker/ledger/member-memory.ts';
import { seededRandom, seedOfThisRun } from '../../../support/seeded-random.ts';

function bytesOf(n: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, n);
  return bytes;
}

describe('the memory of members sent', () => {
  it('knows each member of each set once, like a set of texts would', () => {
    const random = seededRandom(seedOfThisRun());
    const memory = new MemberMemory();
    const known = new Set<string>();
    for (let batch = 0; batch < 20; batch++) {
      memory.begin(100);
      for (let i = 0; i < 100; i++) {
        const [set, member] = [random.pick(['a', 'b', 'c']), random.int(300)];
        const isNew = !known.has(`${set}${member}`);
        known.add(`${set}${member}`);
        expect(memory.add(memory.numberOf(set), bytesOf(member), 0), `seed ${random.seed}`).toBe(isNew);
      }
    }
  });

  it('starts anew when it is full, so that its size is bounded', () => {
    const memory = new MemberMemory();
    memory.begin(1);
    memory.add(memory.numberOf('a'), bytesOf(-1), 0);
    for (let n = 0; n < 40_000; n += 1_000) {
      memory.begin(1_000);
      for (let i = n; i < n + 1_000; i++) memory.add(memory.numberOf('a'), bytesOf(i), 0);
    }
    memory.begin(1);

    expect(memory.add(memory.numberOf('a'), bytesOf(-1), 0)).toBe(true);
  });
});

describe('the table of ids of one batch', () => {
  it('finds further copies, also of ids that differ in few bits, and forgets at the next batch', () => {
    const table = new IdTable();
    const ids = [0, 1, 2 ** 32, 2 ** 52 - 1, 2 ** 52 - 2];
    table.begin(10);
    expect(ids.map((id) => table.add(id))).toEqual([true, true, true, true, true]);
    expect(ids.map((id) => table.add(id))).toEqual([false, false, false, false, false]);

    table.begin(10);
    expect(table.add(0)).toBe(true);
  });

  it('takes batches larger than its usual size', () => {
    const table = new IdTable();
    table.begin(20_000);
    let added = 0;
    for (let i = 0; i < 20_000; i++) if (table.add(i * 2 ** 30)) added += 1;

    expect(added).toBe(20_000);
  });
});
