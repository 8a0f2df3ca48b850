/** What the README says of settings and metrics is what the code does. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withTables } from './support/readme-tables.ts';
import { ROOT } from './support/source-tree.ts';

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

describe('README.md', () => {
  it('lists every setting and every metric with the defaults and labels that the code has (mend: npm run docs)', () => {
    expect(readme).toBe(withTables(readme));
  });

  it('has only links to files that exist', () => {
    for (const file of [
      'README.md',
      'CONTRIBUTING.md',
      'docs/architecture.md',
      'docs/pipelines.md',
      'docs/protocol.md',
      'docs/redis.md',
      'docs/testing.md',
    ]) {
      const text = readFileSync(join(ROOT, file), 'utf8');
      const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((match) => match[1] ?? '');
      const dead = links.filter((link) => !existsSync(join(ROOT, dirname(file), link)));
      expect(dead, file).toEqual([]);
    }
  });
});
