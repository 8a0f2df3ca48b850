/** Reads and writes single attributes. What is not as it should be throws BrokenRow, which names the key and the attribute. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { BrokenRow } from '../broken-row.ts';
import type { Item } from './fleet-table.ts';

export function brokenRow(item: Item, attribute: string, problem: string): BrokenRow {
  return new BrokenRow(item.leaseKey?.S ?? '(no leaseKey)', attribute, problem);
}

export function text(value: string): AttributeValue {
  return { S: value };
}

export function number(value: number): AttributeValue {
  return { N: String(value) };
}

/** Undefined when the attribute is absent or an explicit NULL. */
export function readText(item: Item, attribute: string): string | undefined {
  const value = present(item, attribute);
  if (value === undefined) return undefined;
  if (value.S === undefined) throw brokenRow(item, attribute, 'is not a string');
  return value.S === '' ? undefined : value.S;
}

export function requireText(item: Item, attribute: string): string {
  const value = readText(item, attribute);
  if (value === undefined) throw brokenRow(item, attribute, 'is missing');
  return value;
}

/** A whole number >= 0. */
export function readCount(item: Item, attribute: string): number | undefined {
  const value = present(item, attribute);
  if (value === undefined) return undefined;
  const count = value.N === undefined ? Number.NaN : Number(value.N);
  if (!Number.isSafeInteger(count) || count < 0) {
    throw brokenRow(item, attribute, `is not a whole number: ${value.N ?? 'of another type'}`);
  }
  return count;
}

export function requireCount(item: Item, attribute: string): number {
  const value = readCount(item, attribute);
  if (value === undefined) throw brokenRow(item, attribute, 'is missing');
  return value;
}

/** Sorted; empty when absent (DynamoDB has no empty sets). */
export function readTexts(item: Item, attribute: string): readonly string[] {
  const value = present(item, attribute);
  if (value === undefined) return [];
  if (value.SS === undefined) throw brokenRow(item, attribute, 'is not a set of strings');
  return [...value.SS].sort((a, b) => (a < b ? -1 : 1));
}

function present(item: Item, attribute: string): AttributeValue | undefined {
  const value = item[attribute];
  return value?.NULL ? undefined : value;
}
