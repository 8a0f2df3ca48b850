/** The write that ends a handoff: by the old owner (release), who may say what it delivered, or without it (force). */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { SeenLease } from '../lease-store.ts';
import type { Position } from '../position.ts';
import { number, text } from './attribute.ts';
import type { Change } from './fleet-table.ts';
import { deliveredText } from './lease-row.ts';

/** The counter as it was seen, and the next one. */
export function countersOf(seen: SeenLease): Readonly<Record<string, AttributeValue>> {
  return { ':g': number(seen.generation), ':next': number(seen.generation + 1) };
}

export function handoffEnd(seen: SeenLease, old: string, deliveredTo?: Position): Change {
  const { generation } = seen;
  const delivered = deliveredTo === undefined ? undefined : deliveredText({ position: deliveredTo, generation });
  return {
    update: `SET #leaseCounter = :next${delivered === undefined ? '' : ', #deliveredTo = :delivered'} REMOVE #checkpointOwner`,
    when: '#checkpointOwner = :old AND #leaseCounter = :g',
    values: {
      ...countersOf(seen),
      ':old': text(old),
      ...(delivered === undefined ? {} : { ':delivered': text(delivered) }),
    },
  };
}
