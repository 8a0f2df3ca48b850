/** Layouts as the scripts answer them: fields and values of the layouts hash. */
import type { CountedLayout } from '../ledger.ts';

/** The layouts hash: `<period>` → buckets, `<period>:n` → identities. */
export function layoutsOf(fields: readonly string[]): CountedLayout[] {
  const values = new Map<string, string>();
  for (let i = 0; i < fields.length; i += 2) values.set(fields[i]!, fields[i + 1]!);
  return [...values.keys()]
    .filter((field) => !field.endsWith(':n'))
    .map((field) => layoutOf(Number(field), values.get(field), values.get(`${field}:n`)))
    .sort((a, b) => a.period - b.period);
}

export function layoutOf(
  period: number,
  buckets: string | undefined,
  identities: string | null | undefined,
): CountedLayout {
  const begun = buckets === undefined || buckets === '-' ? undefined : Number(buckets);
  return { period, buckets: begun, identities: begun === undefined ? 0 : Number(identities ?? 0) };
}
