/**
 * Names of the ledger's counters: what workers raise and what the controller and the CLI read. Short, because every
 * commit carries them. A value comes last in its name, so it may hold any character.
 */

/** Records judged fresh, judged duplicate, and rejected (without identity). records = the sum of the three. */
export const FRESH = 'f';
export const DUPLICATE = 'd';
export const UNDECODABLE = 'x';

/** A pipeline's counter over fresh records, by a field's value: counter('format', 'LoginMessageV1'). */
export function counterName(counter: string, value: string): string {
  return `c:${counter}:${value}`;
}

/** Distinct members of a plain unique. */
export function uniqueName(unique: string): string {
  return `u:${unique}`;
}

/** Distinct members of a unique per value. */
export function uniqueValueName(unique: string, value: string): string {
  return `v:${unique}:${value}`;
}

export type CounterName =
  | { readonly kind: 'fresh' | 'duplicate' | 'undecodable' }
  | { readonly kind: 'counter'; readonly counter: string; readonly value: string }
  | { readonly kind: 'unique'; readonly unique: string }
  | { readonly kind: 'uniqueValue'; readonly unique: string; readonly value: string };

/** The inverse; undefined for a name this version does not know. */
export function parseCounterName(name: string): CounterName | undefined {
  if (name === FRESH) return { kind: 'fresh' };
  if (name === DUPLICATE) return { kind: 'duplicate' };
  if (name === UNDECODABLE) return { kind: 'undecodable' };
  const parts = /^([cuv]):([^:]+)(?::([\s\S]*))?$/.exec(name);
  if (!parts?.[2]) return undefined;
  if (parts[1] === 'u') return { kind: 'unique', unique: parts[2] };
  if (parts[3] === undefined) return undefined;
  return parts[1] === 'c'
    ? { kind: 'counter', counter: parts[2], value: parts[3] }
    : { kind: 'uniqueValue', unique: parts[2], value: parts[3] };
}
