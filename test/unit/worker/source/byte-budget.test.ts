/** The bound on bytes in flight: never exceeded by choice, and every shard gets its turn. */
import { expect, test } from 'vitest';
import {
  type BudgetShare,
  ByteBudget,
  type ByteGrant,
  defaultBudgetBytes,
} from '../../../../worker/source/byte-budget.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

const NEVER = new AbortController().signal;

/** Reserves and tells whether it was granted yet. */
function ask(share: BudgetShare, bytes: number, signal = NEVER): { grant: ByteGrant | undefined; isAnswered: boolean } {
  const asked = { grant: undefined as ByteGrant | undefined, isAnswered: false };
  share.reserve(bytes, signal).then(
    (grant) => Object.assign(asked, { grant, isAnswered: true }),
    (error: unknown) => {
      throw error;
    },
  );
  return asked;
}

async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test('reads wait while the budget is used up, and go on when bytes are given back', async () => {
  const budget = new ByteBudget(100);
  const first = ask(budget.openShare(), 80);
  const second = ask(budget.openShare(), 80);
  await settle();
  expect([first.isAnswered, second.isAnswered]).toEqual([true, false]);
  first.grant?.free();
  await settle();
  expect(second.isAnswered).toBe(true);
  expect(budget.usedBytes).toBe(80);
});

test('a shard that holds nothing goes before one that holds something, however long that one waits', async () => {
  const budget = new ByteBudget(100);
  const [hungry, modest] = [budget.openShare(), budget.openShare()];
  const held = ask(hungry, 40);
  const blocker = ask(budget.openShare(), 60);
  await settle();
  const more = ask(hungry, 10);
  const first = ask(modest, 60);
  await settle();
  blocker.grant?.free();
  await settle();
  expect([held.isAnswered, more.isAnswered, first.isAnswered]).toEqual([true, false, true]);
});

test('a shard that holds its fair part waits, even while bytes are free for others', async () => {
  const budget = new ByteBudget(100);
  const hungry = budget.openShare();
  const others = [budget.openShare(), budget.openShare(), budget.openShare()];
  ask(hungry, 20);
  await settle();
  const more = ask(hungry, 10);
  const reads = others.map((share) => ask(share, 25));
  await settle();
  expect(more.isAnswered).toBe(false);
  expect(reads.map((read) => read.isAnswered)).toEqual([true, true, true]);
});

test('a large read is not starved by small ones behind it', async () => {
  const budget = new ByteBudget(100);
  const small = ask(budget.openShare(), 50);
  await settle();
  const large = ask(budget.openShare(), 90);
  const late = ask(budget.openShare(), 10);
  await settle();
  expect([large.isAnswered, late.isAnswered]).toEqual([false, false]);
  small.grant?.free();
  await settle();
  expect([large.isAnswered, late.isAnswered]).toEqual([true, true]);
});

test('a read larger than the whole budget is served when nobody holds anything', async () => {
  const budget = new ByteBudget(100);
  const read = ask(budget.openShare(), 1_000);
  await settle();
  expect(read.isAnswered).toBe(true);
});

test('an aborted wait ends, and those behind it move up', async () => {
  const budget = new ByteBudget(100);
  ask(budget.openShare(), 60);
  const abort = new AbortController();
  const large = ask(budget.openShare(), 90, abort.signal);
  const small = ask(budget.openShare(), 30);
  await settle();
  abort.abort();
  await settle();
  expect(large).toEqual({ grant: undefined, isAnswered: true });
  expect(small.isAnswered).toBe(true);
  expect(budget.waiting).toBe(0);
});

test('a grant takes the size of its answer, and closing a share gives back all it holds', async () => {
  const budget = new ByteBudget(100);
  const share = budget.openShare();
  const read = ask(share, 80);
  await settle();
  read.grant?.resize(30);
  expect(budget.usedBytes).toBe(30);
  share.close();
  expect(budget.usedBytes).toBe(0);
  read.grant?.free();
  read.grant?.resize(50);
  expect(budget.usedBytes).toBe(0);
});

test('many shards with large records all get their turns and never exceed the budget', async () => {
  const seed = 20261121;
  const random = seededRandom(seed);
  const budget = new ByteBudget(128);
  const turns = new Array<number>(50).fill(0);
  let most = 0;
  const consume = async (i: number): Promise<void> => {
    const share = budget.openShare();
    for (let turn = 0; turn < 20; turn++) {
      const grant = await share.reserve(10, NEVER);
      most = Math.max(most, budget.usedBytes);
      for (let waits = random.int(3); waits > 0; waits--) await settle();
      grant?.free();
      turns[i] = turns[i]! + 1;
      const slowest = Math.min(...turns);
      if (turns[i]! - slowest > 12) throw new Error(`shard ${i} is ${turns[i]! - slowest} turns ahead, seed ${seed}`);
    }
  };
  await Promise.all(turns.map((_, i) => consume(i)));
  expect(most).toBeLessThanOrEqual(128);
  expect(turns.every((count) => count === 20)).toBe(true);
});

test('the default follows the memory of the process and stays within its bounds', () => {
  const bytes = defaultBudgetBytes();
  expect(bytes).toBeGreaterThanOrEqual(16 * 1024 * 1024);
  expect(bytes).toBeLessThanOrEqual(1024 * 1024 * 1024);
});
