/** How many records to ask for. */
import { expect, test } from 'vitest';
import { AnswerSize } from '../../../../worker/source/answer-size.ts';
import type { RecordPage } from '../../../../worker/source/kinesis-reads.ts';

const MIB = 1024 * 1024;

function pageOf(count: number, recordBytes: number): RecordPage {
  return { count, bytes: new Uint8Array(count * recordBytes) } as unknown as RecordPage;
}

test('before the first record a read may bring 10 MiB, which exist three times while they are read', () => {
  const size = new AnswerSize();
  expect(size.expectedBytes(size.limit(64 * MIB))).toBe(30 * MIB);
});

test('small records are asked for by the thousands, large ones singly', () => {
  const size = new AnswerSize();
  size.measure(pageOf(1_000, 100));
  expect(size.limit(64 * MIB)).toBe(10_000);
  size.measure(pageOf(1, 5 * MIB));
  expect(size.limit(64 * MIB)).toBe(1);
});

test('a small part in the budget makes small reads, but never none', () => {
  const size = new AnswerSize();
  size.measure(pageOf(10, 900));
  expect(size.limit(300_000)).toBe(50);
  expect(size.limit(0)).toBe(1);
});

test('an empty answer teaches nothing', () => {
  const size = new AnswerSize();
  size.measure(pageOf(10, 900));
  size.measure(pageOf(0, 0));
  expect(size.expectedBytes(10)).toBe(30_000);
});
