/** js-redis-server as a process of its own: `node js-redis-main.ts PORT`. */
import { createRedisMock } from 'js-redis-server';

const port = Number(process.argv[2]);
const server = await createRedisMock({ port });
process.stdout.write('listening\n');
process.once('SIGTERM', () => void server.close().finally(() => process.exit(0)));
