/** `node test/support/write-chart-readme.ts`: writes the table of the chart's README from values.yaml. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHART, withValuesTable } from './chart-values.ts';

const file = join(CHART, 'README.md');
writeFileSync(file, withValuesTable(readFileSync(file, 'utf8')));
