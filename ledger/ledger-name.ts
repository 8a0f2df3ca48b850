/**
 * A ledger's name: the fleet and a digest of everything that decides what an identity is, in which slot it lies and
 * how long it is remembered. Whoever changes one of these gets a new ledger, never a mixture of two.
 */
import { createHash } from 'node:crypto';
import { StartRefused } from '../runtime/errors.ts';

/** Grows when the layout of the ledger's keys changes. */
const SCHEMA_VERSION = 1;
const DIGEST_DIGITS = 12;

export interface LedgerIdentity {
  readonly fleet: string;
  readonly identityFields: readonly string[];
  /** The identity field that is a time, if one is. */
  readonly identityTime: string | undefined;
  readonly slotKey: string;
  readonly slots: number;
  readonly periodMs: number;
  readonly horizonMs: number;
}

/** @throws StartRefused when the fleet's name cannot stand in a key: braces would move a slot's keys apart. */
export function ledgerName(identity: LedgerIdentity): string {
  if (!/^[^{}\s]+$/.test(identity.fleet)) {
    throw new StartRefused('the fleet name must not be empty or hold blanks or braces', { fleet: identity.fleet });
  }
  const decisive = JSON.stringify([
    SCHEMA_VERSION,
    identity.identityFields,
    identity.identityTime ?? null,
    identity.slotKey,
    identity.slots,
    identity.periodMs,
    identity.horizonMs,
  ]);
  const digest = createHash('sha256').update(decisive).digest('hex').slice(0, DIGEST_DIGITS);
  return `${identity.fleet}.${digest}`;
}
