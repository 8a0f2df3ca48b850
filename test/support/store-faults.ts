/**
 * Failures for the fake stores: a call that never reached the table, a call that did but whose answer was lost, a
 * call that hangs. Planned one by one, or decided per call by `onCall` (seeded simulations).
 */
import { FleetStoreUnavailable } from '../../lease/lease-store.ts';

/** before: nothing happened. after: it happened, the answer was lost. hang: nothing happens and nobody answers. */
export type Fault = 'before' | 'after' | 'hang';

interface Planned {
  readonly method: string;
  readonly fault: Fault;
  times: number;
}

export class StoreFaults {
  /** Asked for every call that no planned fault meets; it may sleep, to make the call slow. */
  onCall: (method: string) => Fault | undefined | Promise<Fault | undefined> = () => undefined;
  /** Names of the methods called, in order. */
  readonly calls: string[] = [];
  readonly #planned: Planned[] = [];

  /** Fails the next `times` calls of a method (`*` = of any). */
  fail(method: string, fault: Fault, times = 1): void {
    this.#planned.push({ method, fault, times });
  }

  /** Forgets the planned faults: the table is healthy again. */
  heal(): void {
    this.#planned.length = 0;
  }

  async around<T>(method: string, apply: () => T): Promise<T> {
    this.calls.push(method);
    const fault = this.#take(method) ?? (await this.onCall(method));
    if (fault === 'hang') return new Promise<T>(() => undefined);
    if (fault === 'before') throw new FleetStoreUnavailable(method, new Error('injected: the call got lost'));
    const result = apply();
    if (fault === 'after') throw new FleetStoreUnavailable(method, new Error('injected: the answer got lost'));
    return result;
  }

  #take(method: string): Fault | undefined {
    const index = this.#planned.findIndex((planned) => planned.method === method || planned.method === '*');
    const planned = this.#planned[index];
    if (!planned) return undefined;
    planned.times--;
    if (planned.times <= 0) this.#planned.splice(index, 1);
    return planned.fault;
  }
}
