/** How a suite gets the ledger it is run against: an empty one for each call, whatever the name in the spec. */
import type { Ledger, LedgerJob, LedgerReader, LedgerSpec } from '../../../ledger/ledger.ts';
import type { LedgerConnection } from '../../../ledger/redis/connection.ts';
import { createRedisLedger } from '../../../ledger/redis/redis-ledger.ts';
import { createRedisLedgerJob } from '../../../ledger/redis/redis-ledger-job.ts';
import { createReferenceLedger, emptyReferenceState } from '../../../ledger/reference.ts';
import { createReferenceLedgerJob } from '../../../ledger/reference-job.ts';

export type MakeLedger = (spec: LedgerSpec) => Ledger & LedgerReader & LedgerJob;

export const makeReferenceLedger: MakeLedger = (spec) => {
  const state = emptyReferenceState(spec.slots);
  return { ...createReferenceLedger(spec, state), ...createReferenceLedgerJob(spec, state) };
};

/** @param connection asked at each call, because suites are declared before servers run. */
export function redisLedgers(connection: () => LedgerConnection): MakeLedger {
  let made = 0;
  return (spec) => {
    made += 1;
    const own = { ...spec, name: `${spec.name}-${made}` };
    return { ...createRedisLedger(own, connection()), ...createRedisLedgerJob(own, connection()) };
  };
}
