/**
 * The local Kinesis as a process of its own. Prints one JSON line `{"listening":"http://127.0.0.1:PORT"}` when it is
 * ready, and ends on SIGTERM or SIGINT. Neighbours: config.ts (settings), server.ts.
 */
import { once } from 'node:events';
import { readConfig } from './config.ts';
import { startLocalKinesis } from './server.ts';

const server = await startLocalKinesis(readConfig(process.argv.slice(2), process.env));
process.stdout.write(`${JSON.stringify({ listening: server.url })}\n`);
await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
await server.close();
