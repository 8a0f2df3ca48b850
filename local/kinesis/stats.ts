/**
 * What the server has done since it started: calls and errors by operation, records and payload bytes in and out.
 * Plain numbers, read by the control endpoint (control-endpoint.ts); nothing decides by them.
 */

export interface OperationStats {
  calls: number;
  /** Answers that were errors, by name; injected ones included. */
  errors: Record<string, number>;
}

export class Stats {
  readonly operations: Record<string, OperationStats> = {};
  recordsIn = 0;
  recordsOut = 0;
  payloadBytesIn = 0;
  payloadBytesOut = 0;

  countCall(operation: string): void {
    this.#of(operation).calls += 1;
  }

  countError(operation: string, name: string): void {
    const { errors } = this.#of(operation);
    errors[name] = (errors[name] ?? 0) + 1;
  }

  #of(operation: string): OperationStats {
    const known = this.operations[operation];
    if (known) return known;
    const fresh: OperationStats = { calls: 0, errors: {} };
    this.operations[operation] = fresh;
    return fresh;
  }
}
