/**
 * The structure as a contract: import direction, one owner per outside package, pure files, sizes. What the folders
 * mean is in docs/architecture.md.
 */
import { describe, expect, it } from 'vitest';
import { readSourceTree, type SourceFile } from './support/source-tree.ts';

const tree = readSourceTree();
const product = tree.filter((file) => !/^(test|bench)\//.test(file.path) && file.path !== 'vitest.config.ts');

/** First part of the path, or the first two inside worker/ and controller/. */
function roomOf(path: string): string {
  const [top = '', next = ''] = path.split('/');
  return path.split('/').length > 2 || top !== path.split('/')[0] ? `${top}/${next}` : top;
}

const top = (path: string): string => path.split('/')[0] ?? '';

const ALLOWED: Record<string, readonly string[]> = {
  runtime: [],
  proto: [],
  lease: ['runtime', 'proto'],
  ledger: ['runtime', 'proto', 'lease'],
  signal: ['runtime', 'proto', 'lease'],
  pipelines: ['runtime', 'proto', 'ledger'],
  controller: ['runtime', 'proto', 'lease', 'ledger', 'signal', 'pipelines'],
  worker: ['runtime', 'proto', 'lease', 'ledger', 'signal', 'pipelines'],
  producer: ['runtime', 'proto'],
  local: ['runtime', 'proto', 'lease', 'ledger', 'signal', 'pipelines', 'controller', 'worker', 'producer'],
  cli: ['runtime', 'proto', 'lease', 'ledger', 'signal', 'pipelines', 'controller', 'worker', 'producer', 'local'],
};

const WORKER_ORDER = ['source', 'pipeline', 'ledger', 'sink', 'checkpoint', 'shard'];

/** Outside package to the files that may import it. */
const OWNERS: Record<string, RegExp> = {
  '@aws-sdk/client-kinesis': /^(worker\/(source|sink)|controller\/kinesis|producer|local|cli)\//,
  '@aws-sdk/client-dynamodb': /^(lease\/dynamodb|local)\//,
  ioredis: /^(runtime\/redis|ledger\/redis|signal\/redis|worker\/sink)\//,
  '@kubernetes/client-node': /^controller\/(kube|leader)\//,
  'prom-client': /(^|\/)metrics\.ts$/,
  pino: /^runtime\/logger\.ts$/,
  protobufjs: /^(proto|pipelines|producer|worker\/pipeline)\//,
  'xxhash-wasm': /^worker\/pipeline\//,
  yaml: /^pipelines\//,
  commander: /^cli\//,
};

const PURE = /(^|\/)(plan|state|shard-graph|tracker|position)\.ts$|^worker\/pipeline\//;

function offences(files: readonly SourceFile[], find: (file: SourceFile) => readonly string[]): string[] {
  return files.flatMap((file) => find(file).map((what) => `${file.path}: ${what}`));
}

describe('the import direction', () => {
  it('lets every arrow between the top folders point only to what is below', () => {
    const wrong = offences(product, (file) =>
      file.imports.filter(
        (target) => top(target) !== top(file.path) && !ALLOWED[top(file.path)]?.includes(top(target)),
      ),
    );
    expect(wrong).toEqual([]);
  });

  it('follows the record inside the worker: a stage imports only earlier stages', () => {
    const rank = (path: string): number => WORKER_ORDER.indexOf(path.split('/')[1] ?? '');
    const stages = product.filter((file) => top(file.path) === 'worker' && rank(file.path) >= 0);
    const wrong = offences(stages, (file) =>
      file.imports.filter((target) => top(target) === 'worker' && (rank(target) < 0 || rank(target) > rank(file.path))),
    );
    expect(wrong).toEqual([]);
  });

  it("keeps the controller's concerns from importing one another", () => {
    const concerns = product.filter((file) => /^controller\/[^/]+\//.test(file.path));
    const wrong = offences(concerns, (file) =>
      file.imports.filter((target) => /^controller\/[^/]+\//.test(target) && roomOf(target) !== roomOf(file.path)),
    );
    expect(wrong).toEqual([]);
  });

  it('has no cycles', () => {
    const imports = new Map(product.map((file) => [file.path, file.imports]));
    const done = new Set<string>();
    const visit = (path: string, trail: readonly string[]): string | undefined => {
      if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path].join(' > ');
      if (done.has(path)) return undefined;
      for (const target of imports.get(path) ?? []) {
        const cycle = visit(target, [...trail, path]);
        if (cycle) return cycle;
      }
      done.add(path);
      return undefined;
    };
    expect(product.map((file) => visit(file.path, [])).filter((cycle) => cycle !== undefined)).toEqual([]);
  });
});

describe('ownership', () => {
  it('gives every outside package one owner', () => {
    const wrong = offences(product, (file) =>
      file.packages.filter((name) => OWNERS[name] && !OWNERS[name].test(file.path)),
    );
    expect(wrong).toEqual([]);
  });

  it('reads the environment only where settings are declared', () => {
    const wrong = product.filter(
      (file) => /process\.env\b/.test(file.text) && !/(^|\/)config\.ts$|^(local|cli)\//.test(file.path),
    );
    expect(wrong.map((file) => file.path)).toEqual([]);
  });

  it('keeps pure files free of async work, loggers, metrics and SDKs', () => {
    const pure = product.filter((file) => PURE.test(file.path) && top(file.path) !== 'local');
    const impure = /^(@aws-sdk|ioredis|pino|prom-client|@kubernetes)/;
    const wrong = offences(pure, (file) => [
      ...file.packages.filter((name) => impure.test(name)),
      ...file.imports.filter((target) => /^runtime\/(logger|metrics|http|clock|lifecycle)\.ts$/.test(target)),
      ...(/\bawait\b/.test(code(file.text)) && !/^worker\/pipeline\/identity/.test(file.path) ? ['awaits'] : []),
    ]);
    expect(pure.length).toBeGreaterThan(5);
    expect(wrong).toEqual([]);
  });

  it('keeps every worker file away from the Kubernetes client and the controller', () => {
    const reach = new Set<string>();
    const byPath = new Map(product.map((file) => [file.path, file]));
    const walk = (path: string): void => {
      if (reach.has(path)) return;
      reach.add(path);
      for (const target of byPath.get(path)?.imports ?? []) walk(target);
    };
    walk('worker/main.ts');
    expect(reach.has('worker/shard/consumer.ts')).toBe(true);
    const wrong = [...reach].filter(
      (path) => top(path) === 'controller' || byPath.get(path)?.packages.includes('@kubernetes/client-node'),
    );
    expect(wrong).toEqual([]);
  });
});

describe('sizes', () => {
  it('keeps every file at 300 lines or fewer, and the median at 120 or fewer', () => {
    const own = tree.filter((file) => !file.path.includes('/gen/'));
    expect(own.filter((file) => file.lines > 300).map((file) => `${file.path}: ${file.lines}`)).toEqual([]);
    const lines = product.map((file) => file.lines).toSorted((a, b) => a - b);
    expect(lines[Math.floor(lines.length / 2)]).toBeLessThanOrEqual(120);
  });

  it('has no file that only passes on what others export', () => {
    const barrels = product.filter((file) => {
      const body = code(file.text).trim();
      return body !== '' && body.replace(/export\s+(type\s+)?(\*|\{[^}]*\})\s+from\s+'[^']+';?/g, '').trim() === '';
    });
    expect(barrels.map((file) => file.path)).toEqual([]);
  });

  it('leads from worker/main.ts to the loop in three files', () => {
    const imports = (path: string): readonly string[] => tree.find((file) => file.path === path)?.imports ?? [];
    expect(imports('worker/main.ts')).toContain('worker/worker.ts');
    expect(imports('worker/worker.ts')).toContain('worker/shard/consumer.ts');
    expect(tree.find((file) => file.path === 'worker/shard/consumer.ts')?.text).toContain('while (');
  });

  it('waives no rule', () => {
    const waiver = new RegExp(['biome', 'ignore|@ts', '(ignore|expect-error|nocheck)'].join('-'));
    expect(tree.filter((file) => waiver.test(file.text)).map((file) => file.path)).toEqual([]);
  });
});

/** The text without comments. */
function code(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
}
