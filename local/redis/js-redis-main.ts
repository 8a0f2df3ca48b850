/** js-redis-server as a process of its own: `node js-redis-main.ts PORT`. */
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { createRedisMock } from 'js-redis-server';

// It writes an answer in pieces: the second would wait 40 ms for the first one's acknowledgement.
subscribe('net.server.socket', (message) => (message as { readonly socket: Socket }).socket.setNoDelay(true));
const port = Number(process.argv[2]);
const server = await createRedisMock({ port });
process.stdout.write('listening\n');
process.once('SIGTERM', () => void server.close().finally(() => process.exit(0)));
