/**
 * One suite, three servers. Ours has no entry among the deviations: what all three agree on is how we know that ours
 * is Kinesis. A file per server, so that they run side by side.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEVIATIONS } from './deviations.ts';
import { ITERATOR_CASES } from './iterator-cases.ts';
import { type RunningServer, type ServerName, startServer } from './kinesis-servers.ts';
import { RECORD_CASES } from './record-cases.ts';
import { RESHARD_CASES } from './reshard-cases.ts';
import { SHARD_CASES } from './shard-cases.ts';
import { STREAM_CASES } from './stream-cases.ts';
import { StreamScene } from './stream-scene.ts';

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
      } else if ('skip' in deviation) {
        it.skip(`${title} (${deviation.reason})`, () => undefined);
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
