/** The image's contents, checked without building it: what the processes import is copied, and nothing else is sent. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CONTAINER_ENV } from '../../../local/container.ts';
import { ROOT, readSourceTree } from '../../support/source-tree.ts';

const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
const ignored = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n');
const tree = new Map(readSourceTree().map((file) => [file.path, file]));

/** Top folders of the files that a program imports, itself included. */
function foldersOf(entry: string): string[] {
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const next of tree.get(path)?.imports ?? []) visit(next);
  };
  visit(entry);
  return [...new Set([...seen].flatMap((path) => (path.endsWith('.ts') ? [path.split('/')[0] ?? ''] : [])))];
}

const copied = [...dockerfile.matchAll(/^COPY (?!--from)(?:--\S+ )?(.+) \S+$/gm)].flatMap(
  (match) => match[1]?.split(' ') ?? [],
);

describe('the Dockerfile', () => {
  it.each(['controller/main.ts', 'worker/main.ts', 'cli/fleet-ledger.ts', 'local/kinesis/main.ts'])(
    'copies every folder that %s imports from',
    (entry) => {
      expect(foldersOf(entry).filter((folder) => !copied.includes(folder))).toEqual([]);
    },
  );

  it('copies only what .dockerignore lets through, and that lets through nothing else', () => {
    const allowed = ignored.flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));
    expect(ignored).toContain('*');
    expect(allowed.toSorted()).toEqual([...new Set(copied)].toSorted());
  });

  it('ends in the target fleet, as a user without rights, with Node as process 1', () => {
    expect(dockerfile.match(/^FROM .* AS (\w+)$/gm)?.at(-1)).toContain('AS fleet');
    expect(dockerfile).toContain('USER 65532:65532');
    expect(dockerfile.match(/^(CMD|ENTRYPOINT) (?!\[)/gm)).toBeNull();
  });

  it('manages memory as the benches say that it does', () => {
    const { worker, controller } = CONTAINER_ENV;
    const [youngGeneration, ofController] = [worker, controller].map((env) => env.NODE_OPTIONS.split(' ')[0]);
    expect(dockerfile).toContain(`NODE_OPTIONS=${youngGeneration} `);
    expect(dockerfile).toContain(`MALLOC_ARENA_MAX=${worker.MALLOC_ARENA_MAX}\n`);
    const template = readFileSync(join(ROOT, 'deploy/helm/kinesis-fleet/templates/controller.yaml'), 'utf8');
    expect(template).toContain(`command: [node, ${ofController}, controller/main.ts]`);
  });

  it('installs neither development nor optional dependencies for the fleet', () => {
    expect(dockerfile).toContain('npm ci --omit=dev --omit=optional');
  });
});
