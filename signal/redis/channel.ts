/**
 * Names of the channels. A worker's own channel is its presence too: whoever counts its subscribers knows whether
 * the worker's process is still connected. On a Redis Cluster all channels of a fleet are sharded ones with the same
 * tag: one node has them all, and counts all their subscribers.
 */

/** Where a fleet's hints go. */
export interface Channels {
  readonly isSharded: boolean;
  /** Tag of all channels: on a Cluster it says which node has them. */
  readonly home: string;
  readonly controller: string;
  worker(workerId: string): string;
}

export function channelsOf(fleet: string, isSharded: boolean): Channels {
  const home = `{${fleet}}`;
  const name = isSharded ? home : fleet;
  return {
    ...{ isSharded, home },
    controller: `controller/${name}`,
    worker: (workerId) => `presence/${name}/${workerId}`,
  };
}
