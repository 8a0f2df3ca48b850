/**
 * What ends the work of a shard consumer from below: its ledger row is not what it wrote, or another owner has it.
 * There is one recovery for the first (open again, nothing in memory survives) and none for the second.
 */
import { FleetError } from '../../runtime/errors.ts';

/** The row is not what this consumer wrote: drop all memory and open again, in the same generation. */
export class RowWentStale extends FleetError {
  constructor(fields: Readonly<Record<string, unknown>>) {
    super("the shard's ledger row is not what this owner wrote", {
      code: 'RowWentStale',
      disposition: 'retry',
      fields,
    });
    this.name = 'RowWentStale';
  }
}

/** The right to the shard is gone: write nothing more anywhere. */
export class RightLost extends FleetError {
  /** Metric label: who said so. */
  readonly reason: 'fenced' | 'checkpoint';

  constructor(reason: 'fenced' | 'checkpoint', fields: Readonly<Record<string, unknown>>) {
    super('this shard has another owner', { code: 'RightLost', disposition: 'release', fields });
    this.name = 'RightLost';
    this.reason = reason;
  }
}
