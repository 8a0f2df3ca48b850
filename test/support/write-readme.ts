/** `npm run docs`: writes the README's tables from the code. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withTables } from './readme-tables.ts';
import { ROOT } from './source-tree.ts';

const file = join(ROOT, 'README.md');
writeFileSync(file, withTables(readFileSync(file, 'utf8')));
