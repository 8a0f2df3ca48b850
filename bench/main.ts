/**
 * `npm run bench`: every measurement, one after the other, each in a process of its own so that none pays for another's
 * garbage. `npm run bench -- ledger` runs one of them; `gaps`, which takes twenty minutes, only when it is named.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const BENCHES = ['source', 'decode', 'ledger', 'controller', 'fleet-table', 'worker-memory', 'end-to-end'];
const LONG = ['gaps'];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => ![...BENCHES, ...LONG].includes(name));
if (unknown.length > 0) {
  process.stderr.write(`there is no bench ${unknown.join(', ')}; there are: ${[...BENCHES, ...LONG].join(', ')}\n`);
  process.exit(1);
}
for (const name of wanted.length > 0 ? wanted : BENCHES) {
  process.stdout.write(`\n== ${name}\n`);
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, `${name}.ts`)], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
