/**
 * dynalite as a process of its own: `node main.ts PORT HOST`, port 0 = a free one, host 127.0.0.1 unless given; prints
 * {"listening": URL} when it is ready.
 */
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';

/** It has no types of its own. */
const dynalite = createRequire(import.meta.url)('dynalite') as (options: Record<string, number>) => Server;

const host = process.argv[3] ?? '127.0.0.1';
const server = dynalite({ createTableMs: 20, deleteTableMs: 20, updateTableMs: 20 });
server.listen(Number(process.argv[2] ?? 0), host, () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ listening: `http://${host}:${port}` })}\n`);
});
process.once('SIGTERM', () => process.exit(0));
