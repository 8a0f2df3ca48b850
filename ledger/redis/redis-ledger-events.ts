/** Operators' acts in Redis: a short list beside slot 0, as JSON. */
import type { LedgerEvent, LedgerEvents, LedgerSpec } from '../ledger.ts';
import type { LedgerConnection } from './connection.ts';
import { slotKeys } from './keys.ts';

const KEPT = 100;

export function createRedisLedgerEvents(spec: LedgerSpec, connection: LedgerConnection): LedgerEvents {
  const { events } = slotKeys(spec.name, 0);
  return {
    async note(event) {
      await connection.call(events, (client) =>
        client.multi().rpush(events, JSON.stringify(event)).ltrim(events, -KEPT, -1).exec(),
      );
    },
    async list() {
      const { answer } = await connection.call(events, (client) => client.lrange(events, 0, -1));
      return answer.map((text) => JSON.parse(text) as LedgerEvent);
    },
  };
}
