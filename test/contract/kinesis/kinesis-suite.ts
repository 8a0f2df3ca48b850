/**
 * One suite, three servers. Ours has no entry among the deviations: what all three agree on is how we know that ours
 * is Kinesis. A file per server, so that they run side by side.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContractCase } from './contract-case.ts';
import { type Breakdown, DEVIATIONS } from './deviations.ts';
import { ITERATOR_CASES } from './iterator-cases.ts';
import { type RunningServer, type ServerName, startServer } from './kinesis-servers.ts';
import { RECORD_CASES } from './record-cases.ts';
import { RESHARD_CASES } from './reshard-cases.ts';
import { SHARD_CASES } from './shard-cases.ts';
import { STREAM_CASES } from './stream-cases.ts';
import { StreamScene } from './stream-scene.ts';

const PATIENCE_MS = 1_000;
const ENDING_MS = 300;

export const CASES = [...STREAM_CASES, ...SHARD_CASES, ...RESHARD_CASES, ...RECORD_CASES, ...ITERATOR_CASES];

export function describeKinesisContract(serverName: ServerName): void {
  describe(`the Kinesis contract against ${serverName}`, () => {
    let server: RunningServer;

    beforeAll(async () => {
      server = await startServer(serverName);
    });

    afterAll(() => server.stop());

    for (const [index, { id, title, observe, expected }] of CASES.entries()) {
      const deviation = DEVIATIONS[serverName][id];
      if (!deviation) {
        it(title, async () => {
          expect(await observe(new StreamScene(server.client, `case-${index}`))).toEqual(expected);
        });
      } else if ('breaksDown' in deviation) {
        it(`breaks down, ${deviation.breaksDown} (${deviation.reason}), where: ${title}`, async () => {
          expect(await breakdownOf(serverName, observe)).toBe(deviation.breaksDown);
        });
      } else {
        it(`deviates (${deviation.reason}) where: ${title}`, async () => {
          const seen = await observe(new StreamScene(server.client, `case-${index}`));
          expect(seen).not.toEqual(expected);
          if ('instead' in deviation) expect(seen).toEqual(deviation.instead);
        });
      }
    }
  });
}

/** How a server of its own breaks down over a case; what it was seen to do if it does not. */
async function breakdownOf(serverName: ServerName, observe: ContractCase['observe']): Promise<unknown> {
  const server = await startServer(serverName);
  const exited = server.exited.then((): Breakdown => 'its process ends');
  try {
    const observed = observe(new StreamScene(server.client, 'breakdown')).catch(String);
    const seen = await Promise.race([exited, observed, pause(PATIENCE_MS, 'no answer' satisfies Breakdown)]);
    // A process that dies may break the connection before its end is noticed.
    return await Promise.race([exited, pause(ENDING_MS, seen)]);
  } finally {
    await server.stop();
  }
}
