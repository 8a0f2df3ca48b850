/** Every deliberate bug, by the name that the command takes. */
import { HEALING_MUTATIONS } from './healing-mutations.ts';
import { LEASE_MUTATIONS } from './lease-mutations.ts';
import { LEDGER_MUTATIONS } from './ledger-mutations.ts';
import type { Mutation } from './mutation.ts';

export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  ...LEDGER_MUTATIONS,
  ...LEASE_MUTATIONS,
  ...HEALING_MUTATIONS,
};
