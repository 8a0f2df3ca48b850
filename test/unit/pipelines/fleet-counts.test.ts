import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  counterName,
  DUPLICATE,
  FRESH,
  UNDECODABLE,
  uniqueName,
  uniqueValueName,
} from '../../../ledger/counter-names.ts';
import { fleetCountsOf } from '../../../pipelines/fleet-counts.ts';
import { loadPipeline } from '../../../pipelines/load.ts';
import { ROOT } from '../../support/source-tree.ts';

const logins = loadPipeline('logins', join(ROOT, 'pipelines'));

describe("the fleet's counts", () => {
  it('have every figure at zero when nothing was counted yet', () => {
    expect(fleetCountsOf(logins, new Map())).toEqual({
      ...{ records: 0, fresh: 0, duplicate: 0, undecodable: 0 },
      formats: { LoginMessageV1: 0, LoginMessageV2: 0 },
      uniquePlayers: 0,
      uniquePlayersByCountry: {},
    });
  });

  it('name the ledger counters in the words of the pipeline; records are the sum of the judgements', () => {
    const totals = new Map([
      [FRESH, 5],
      [DUPLICATE, 2],
      [UNDECODABLE, 1],
      [counterName('format', 'LoginMessageV2'), 5],
      [uniqueName('players'), 3],
      [uniqueValueName('playersByCountry', 'a:b'), 2],
      [uniqueValueName('playersByCountry', 'DE'), 1],
      [uniqueName('of another pipeline'), 9],
    ]);
    expect(fleetCountsOf(logins, totals)).toEqual({
      ...{ records: 8, fresh: 5, duplicate: 2, undecodable: 1 },
      formats: { LoginMessageV1: 0, LoginMessageV2: 5 },
      uniquePlayers: 3,
      uniquePlayersByCountry: { DE: 1, 'a:b': 2 },
    });
  });
});
