/** The scripts of deploy/kind, as far as that goes without a cluster. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { ROOT } from '../../support/source-tree.ts';

const KIND = join(ROOT, 'deploy/kind');
const scripts = readdirSync(KIND).filter((name) => name.endsWith('.sh'));
const manifests = readdirSync(join(KIND, 'manifests'));
const hasShellcheck = spawnSync('shellcheck', ['--version']).status === 0;
const NOTHING_ON_PATH = { PATH: '/usr/bin:/bin', HOME: '/nonexistent' };

if (!hasShellcheck) console.warn('no shellcheck on PATH: the scripts of deploy/kind are not linted here');

function run(
  script: string,
  args: readonly string[],
  env: Record<string, string> = {},
): { code: number; said: string } {
  const { status, stdout, stderr } = spawnSync(join(KIND, script), args, {
    encoding: 'utf8',
    env: { ...NOTHING_ON_PATH, ...env },
  });
  return { code: status ?? -1, said: stdout + stderr };
}

describe('deploy/kind', { timeout: 20_000 }, () => {
  it.each(scripts)('%s explains itself and refuses what it does not know', (script) => {
    expect(run(script, ['--help'])).toMatchObject({ code: 0, said: expect.stringContaining(`usage:`) });
    expect(run(script, ['--nope'])).toMatchObject({ code: 1, said: expect.stringContaining('unknown option --nope') });
  });

  it.skipIf(!hasShellcheck)('has scripts without a finding of shellcheck', () => {
    const files = scripts.map((script) => join(KIND, script));
    const { stdout } = spawnSync('shellcheck', files, { encoding: 'utf8' });
    expect(stdout).toBe('');
  });

  it.each(manifests)('fills in every variable of manifests/%s, which is YAML then', (name) => {
    const text = readFileSync(join(KIND, 'manifests', name), 'utf8');
    const script = readFileSync(join(KIND, 'fleet.sh'), 'utf8');
    const filled = [...script.matchAll(/s\|\\\$\{(\w+)\}\|/g)].map((match) => match[1]);
    const used = [...text.matchAll(/\$\{(\w+)\}/g)].map((match) => match[1]);
    expect(used.filter((variable) => !filled.includes(variable))).toEqual([]);
    expect(parseAllDocuments(text.replace(/\$\{\w+\}/g, '1')).flatMap((document) => document.errors)).toEqual([]);
  });

  it('has a cluster of three nodes in three zones', () => {
    const { nodes } = parse(readFileSync(join(KIND, 'cluster.yaml'), 'utf8')) as {
      nodes: { labels: Record<string, string> }[];
    };
    expect(new Set(nodes.map(({ labels }) => labels['topology.kubernetes.io/zone'])).size).toBe(3);
  });
});
