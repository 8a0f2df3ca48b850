/**
 * `npm run bench`: every measurement, one after the other, each in a process of its own so that none pays for another's
 * garbage. `npm run bench -- ledger` runs one of them; those that take many minutes only when they are named.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { CONTAINER_ENV } from '../local/container.ts';

const BENCHES = ['source', 'decode', 'ledger', 'controller', 'fleet-table', 'worker-memory', 'end-to-end'];
const LONG = ['gaps', 'ledger-grid', 'ledger-instructions', 'ledger-large'];
/** The process that is measured is the bench itself, not a child of it. */
const IN_PROCESS = new Set(['controller']);

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => ![...BENCHES, ...LONG].includes(name));
if (unknown.length > 0) {
  process.stderr.write(`there is no bench ${unknown.join(', ')}; there are: ${[...BENCHES, ...LONG].join(', ')}\n`);
  process.exit(1);
}
for (const name of wanted.length > 0 ? wanted : BENCHES) {
  process.stdout.write(`\n== ${name}\n`);
  const env = IN_PROCESS.has(name) ? { ...process.env, ...CONTAINER_ENV.controller } : process.env;
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, `${name}.ts`)], { stdio: 'inherit', env });
  if (status !== 0) process.exitCode = 1;
}
