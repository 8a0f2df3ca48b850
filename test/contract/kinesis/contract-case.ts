/**
 * One statement of the contract: what is done, what Kinesis is seen to do. The observation is plain data, so that a
 * server's known deviation can be written down as data too and be asserted just as strictly. Neighbours: *-cases.ts
 * state the contract, deviations.ts who departs from it, kinesis-suite.ts compares.
 */
import type { StreamScene } from './stream-scene.ts';

export interface ContractCase {
  /** Unique; deviations.ts refers to it. */
  id: string;
  /** A full sentence of behaviour. */
  title: string;
  observe(scene: StreamScene): Promise<unknown>;
  expected: unknown;
}
