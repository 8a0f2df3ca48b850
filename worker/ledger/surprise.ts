/**
 * What ends the work of a shard consumer from below: its ledger row is not what it wrote, or another owner has it.
 * There is one recovery for the first (open again, nothing in memory survives) and none for the second.
 */
import { FleetError } from '../../runtime/errors.ts';

/** The row is not what this consumer wrote: drop all memory and open again, in the same generation. */
export class RowWentStale extends FleetError {
  /** @param fields `because`, and what was found; a log line's `reason` is the message. */
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

/** The ledger cannot be made to fit the lease row by reading: visible, until an operator has said what to do. */
export class LedgerUnfit extends FleetError {
  readonly condition: string;

  constructor(condition: string, fields: Readonly<Record<string, unknown>>) {
    super(`the ledger does not fit the lease row: ${condition}`, { code: 'LedgerUnfit', disposition: 'retry', fields });
    this.name = 'LedgerUnfit';
    this.condition = condition;
  }
}
