/**
 * Hints as the JSON text that travels over Redis. Anybody who reaches Redis may publish: what does not read as a
 * hint of this version is no hint, and nothing here throws.
 */
import type { Hint } from '../signals.ts';

/** No id or lease key is longer; a longer text is not ours and is not worth parsing. */
const MAX_TEXT_LENGTH = 2_048;
const MAX_ID_LENGTH = 1_024;

export function hintText(hint: Hint): string {
  return JSON.stringify(hint);
}

/** Undefined when the text is no hint. */
export function parseHint(text: string): Hint | undefined {
  if (text.length > MAX_TEXT_LENGTH) return undefined;
  const found = parseObject(text);
  switch (found?.kind) {
    case 'orders-changed':
      return { kind: 'orders-changed' };
    case 'lease-released':
    case 'lease-moved':
    case 'shard-ended': {
      const leaseKey = idOf(found.leaseKey);
      return leaseKey === undefined ? undefined : { kind: found.kind, leaseKey };
    }
    case 'worker-changed': {
      const workerId = idOf(found.workerId);
      return workerId === undefined ? undefined : { kind: 'worker-changed', workerId };
    }
    default:
      return undefined;
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function idOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= MAX_ID_LENGTH ? value : undefined;
}
