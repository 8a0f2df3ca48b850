/** `helm template` of the chart, where there is a helm on PATH. */
import { execFileSync, spawnSync } from 'node:child_process';
import { parseAllDocuments } from 'yaml';
import { CHART } from './chart-values.ts';

export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  /** Each test reads the part it is about. */
  readonly [field: string]: unknown;
}

export const hasHelm = spawnSync('helm', ['version']).status === 0;

const WITH_OPERATOR = ['--api-versions', 'monitoring.coreos.com/v1'];

/** @throws Error with what helm said. */
export function render(args: readonly string[], apis: readonly string[] = WITH_OPERATOR): Manifest[] {
  const text = execFileSync('helm', ['template', 'kf', CHART, '--namespace', 'ns', ...apis, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors[0]) throw document.errors[0];
    const manifest = document.toJS() as Manifest | null;
    return manifest === null ? [] : [manifest];
  });
}

/** What helm says when it refuses. */
export function refusal(args: readonly string[], apis: readonly string[] = []): string {
  try {
    render(args, apis);
    return 'rendered';
  } catch (error) {
    return String((error as { stderr?: unknown }).stderr ?? error);
  }
}
