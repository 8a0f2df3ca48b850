/** One contract, three ledgers: the reference, redis-server, and js-redis-server, whose Lua is another. */
import { afterAll, beforeAll, describe } from 'vitest';
import { createLedgerConnection, type LedgerConnection } from '../../../ledger/redis/connection.ts';
import type { RedisKind } from '../../../local/redis/start.ts';
import { hasRedisServer, type RedisServer, startRedisServer } from '../../support/redis-server.ts';
import { describeBuckets } from './bucket-suite.ts';
import { describeChain } from './chain-suite.ts';
import { describeJob } from './job-suite.ts';
import { describeJudging } from './judging-suite.ts';
import { makeReferenceLedger, redisLedgers } from './ledgers.ts';

describe('the reference', () => {
  describeChain(makeReferenceLedger);
  describeJudging(makeReferenceLedger);
  describeBuckets(makeReferenceLedger);
  describeJob(makeReferenceLedger);
});

const KINDS: readonly RedisKind[] = hasRedisServer() ? ['redis-server', 'js-redis-server'] : ['js-redis-server'];

describe.each(KINDS)('the ledger in %s', (kind) => {
  let server: RedisServer;
  let connection: LedgerConnection;
  beforeAll(async () => {
    server = await startRedisServer({ kind });
    connection = createLedgerConnection({ url: server.url });
    await connection.ready();
  });
  afterAll(async () => {
    connection.close();
    await server.stop();
  });

  const makeLedger = redisLedgers(() => connection);
  describeChain(makeLedger);
  describeJudging(makeLedger);
  describeBuckets(makeLedger);
  describeJob(makeLedger);
});
