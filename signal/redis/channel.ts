/**
 * Names of the channels. A worker's own channel is its presence too: whoever counts its subscribers knows whether
 * the worker's process is still connected.
 */

export function workerChannel(fleet: string, workerId: string): string {
  return `presence/${fleet}/${workerId}`;
}

export function controllerChannel(fleet: string): string {
  return `controller/${fleet}`;
}
