/** The project's own TypeScript files with what they import, read as text: for the tests of architecture and docs. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

export interface SourceFile {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  /** Paths of imported project files, relative to the root. */
  readonly imports: readonly string[];
  /** Names of imported packages, without subpaths; `node:` modules left out. */
  readonly packages: readonly string[];
}

export const ROOT = join(import.meta.dirname, '../..');
const SKIPPED = new Set(['node_modules', '.git', 'dist', 'coverage']);
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|(?:^|\n)import\s+'([^']+)'/g;

export function readSourceTree(): SourceFile[] {
  return list(ROOT).map((file) => {
    const text = readFileSync(file, 'utf8');
    const specifiers = [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
    return {
      path: relative(ROOT, file),
      text,
      lines: text.split('\n').length - 1,
      imports: specifiers
        .filter((s) => s.startsWith('.') && s.endsWith('.ts'))
        .map((s) => relative(ROOT, normalize(join(dirname(file), s)))),
      packages: specifiers.filter((s) => !s.startsWith('.') && !s.startsWith('node:')).map(packageName),
    };
  });
}

function list(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return list(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
