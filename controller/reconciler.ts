/**
 * The contract of a reconciler: compare what is wanted with what is seen, do a part of the difference, and be ready
 * to be called again at any moment, by this process or by another. It remembers nothing that it could not lose.
 */
import type { FleetView } from './fleet-view.ts';

export interface Reconciler {
  readonly name: string;
  /**
   * Returns when everything that can be done now was asked for and answered. Throws FleetError when a store did not
   * answer: the next turn tries again. The signal aborts when leadership ends or the turn takes too long.
   */
  reconcile(view: FleetView, signal: AbortSignal): Promise<void>;
}
