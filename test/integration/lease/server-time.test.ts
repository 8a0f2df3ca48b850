/** What the fleet table's answers tell of this host's clock. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createFleetStores } from '../../../lease/dynamodb/fleet-stores.ts';
import { clockWithOffset, systemClock } from '../../../runtime/clock.ts';
import { ClockSkew } from '../../../runtime/clock-skew.ts';
import { silentLogger } from '../../../runtime/logger.ts';
import { type Dynalite, startDynalite, TEST_CREDENTIALS } from '../../support/dynalite.ts';

let dynalite: Dynalite;
beforeAll(async () => {
  dynalite = await startDynalite();
});
afterAll(() => dynalite.stop());

it.each([0, 600_000, -600_000])(
  'a clock that is off by %d ms shows, also where the call is refused',
  async (offsetMs) => {
    const clockSkew = new ClockSkew(clockWithOffset(offsetMs), silentLogger);
    const stores = createFleetStores({
      ...{ region: 'us-east-1', endpoint: dynalite.endpoint, credentials: TEST_CREDENTIALS, tableName: 'absent' },
      clock: systemClock,
      onCall: () => clockSkew.asked(),
    });

    await stores.fleet.readFleet().catch(() => undefined);
    stores.close();

    expect(Math.abs(clockSkew.aheadSeconds - offsetMs / 1_000)).toBeLessThanOrEqual(2);
    expect(Object.keys(clockSkew.condition)).toEqual(offsetMs === 0 ? [] : ['ClockSkewed']);
  },
);
