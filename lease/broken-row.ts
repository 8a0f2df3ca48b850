/**
 * A row of the fleet table that cannot be understood: a person or another program broke it. Told apart from a row that is
 * not there. Somebody must repair it; meanwhile it costs one row, not the whole table.
 */
import { FleetError } from '../runtime/errors.ts';

export class BrokenRow extends FleetError {
  readonly key: string;
  readonly attribute: string;

  constructor(key: string, attribute: string, problem: string) {
    super(`row ${key} of the fleet table is broken: ${attribute} ${problem}`, {
      code: 'BrokenRow',
      disposition: 'release',
      fields: { leaseKey: key, attribute },
    });
    this.name = 'BrokenRow';
    this.key = key;
    this.attribute = attribute;
  }
}
