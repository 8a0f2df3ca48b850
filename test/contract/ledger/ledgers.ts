/** How a suite gets the ledger it is run against: an empty one for each call, whatever the name in the spec. */
import type { Ledger, LedgerReader, LedgerSpec } from '../../../ledger/ledger.ts';
import type { LedgerConnection } from '../../../ledger/redis/connection.ts';
import { createRedisLedger } from '../../../ledger/redis/redis-ledger.ts';
import { createReferenceLedger } from '../../../ledger/reference.ts';

export type MakeLedger = (spec: LedgerSpec) => Ledger & LedgerReader;

export const makeReferenceLedger: MakeLedger = (spec) => createReferenceLedger(spec);

/** @param connection asked at each call, because suites are declared before servers run. */
export function redisLedgers(connection: () => LedgerConnection): MakeLedger {
  let made = 0;
  return (spec) => {
    made += 1;
    return createRedisLedger({ ...spec, name: `${spec.name}-${made}` }, connection());
  };
}
