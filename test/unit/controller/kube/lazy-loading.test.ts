/** The Kubernetes client costs 94 MB: a process that does not need it must not load it. */
import { describe, expect, it } from 'vitest';
import { readSourceTree } from '../../../support/source-tree.ts';

const files = new Map(readSourceTree().map((file) => [file.path, file]));

/** Everything that is loaded with a file: imports of types are erased, dynamic ones come later or never. */
function loadedWith(entry: string): Set<string> {
  const loaded = new Set<string>();
  const visit = (path: string): void => {
    const file = files.get(path);
    if (!file || loaded.has(path)) return;
    loaded.add(path);
    const dynamic = /import\('([^']+)'\)/g;
    const typesOnly = /(?:^|\n)import type [^;]*?from '([^']+)'/g;
    const isLater = (target: string): boolean =>
      [...file.text.matchAll(dynamic), ...file.text.matchAll(typesOnly)].some((match) =>
        target.endsWith((match[1] ?? '').replace(/^(\.\.?\/)+/, '')),
      );
    for (const target of file.imports) if (!isLater(target)) visit(target);
    for (const name of file.packages) if (!isLater(name)) loaded.add(name);
  };
  visit(entry);
  return loaded;
}

describe('the Kubernetes client', () => {
  it('is not loaded by a controller that has no Kubernetes, nor by a worker', () => {
    for (const entry of ['controller/main.ts', 'worker/main.ts']) {
      const loaded = loadedWith(entry);
      expect(loaded.has('pino'), entry).toBe(true);
      expect([...loaded].filter((name) => /kubernetes/.test(name))).toEqual([]);
    }
  });

  it('is loaded with the parts that a controller in Kubernetes adds', () => {
    expect(loadedWith('controller/kubernetes.ts').has('@kubernetes/client-node')).toBe(true);
  });
});
