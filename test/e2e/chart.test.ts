/** The chart before a real API server: every example is taken with strict validation, every wrong value is explained. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHART } from '../support/chart-values.ts';
import { isShort } from '../support/cluster-case.ts';
import { run } from '../support/cluster-command.ts';

const examples = readdirSync(join(CHART, 'ci'));
const namespace = `kf-e2e-chart-${process.pid}`;
const inNamespace = ['--namespace', namespace];
const hasOperator = !isShort && (await knowsOperator());

async function knowsOperator(): Promise<boolean> {
  const said = await run('kubectl', ['api-resources', '--api-group=monitoring.coreos.com', '--output=name']);
  return said.includes('servicemonitors');
}

function kubectl(...args: readonly string[]): Promise<string> {
  return run('kubectl', [...inNamespace, ...args]);
}

/** What Helm says to values that it must not take; what it made if it did take them. */
function refusalOf(...values: readonly string[]): Promise<string> {
  return run('helm', ['install', 'wrong', CHART, ...inNamespace, ...values]).catch(String);
}

describe.skipIf(isShort)('the chart before a real API server', () => {
  beforeAll(async () => {
    await run('kubectl', ['create', 'namespace', namespace]);
    await run('kubectl', ['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted']);
    await run('kubectl', ['label', 'namespace', namespace, 'pod-security.kubernetes.io/warn=restricted']);
  });
  afterAll(async () => {
    await run('kubectl', ['delete', 'namespace', namespace, '--timeout=120s'], { timeoutMs: 130_000 });
  }, 140_000);

  it.each(examples)('has no finding of helm lint --strict with ci/%s', async (file) => {
    const said = await run('helm', ['lint', '--strict', CHART, '--values', join(CHART, 'ci', file)]);
    expect(said).toContain('0 chart(s) failed');
  });

  it.each(examples)('is taken whole, with strict validation and without a warning, with ci/%s', async (file) => {
    // `helm template` asks no cluster what it knows.
    const values = ['--values', join(CHART, 'ci', file), '--api-versions', 'monitoring.coreos.com/v1'];
    const rendered = await run('helm', ['template', 'kf', CHART, ...inNamespace, ...values]);
    const documents = rendered.split(/^---$/m).filter((text) => /^kind:/m.test(text));
    // A pod, unlike a Deployment, is refused when its ServiceAccount is not there already.
    const [accounts, others] = [/^kind: ServiceAccount$/m, /^kind: (?!ServiceAccount$)/m].map((kind) =>
      documents.filter((text) => kind.test(text)),
    );
    const known = (others ?? []).filter((text) => hasOperator || !text.includes('monitoring.coreos.com'));
    await run('kubectl', [...inNamespace, 'apply', '--filename', '-'], { input: (accounts ?? []).join('---\n') });

    const strict = ['apply', '--dry-run=server', '--validate=strict', '--warnings-as-errors', '--filename', '-'];
    const taken = await run('kubectl', [...inNamespace, ...strict], { input: known.join('---\n') });

    expect(
      taken
        .trim()
        .split('\n')
        .filter((line) => line.endsWith('(server dry run)')),
    ).toHaveLength(known.length);
    expect(known.length).toBeGreaterThan(8);
  });

  it.each([
    ['an unknown value', ['--set', 'stream=s,worker.replicas=3'], /additional properties 'replicas' not allowed/],
    ['no stream', [], /1 value\(s\) are wrong:\s+stream is required: .*--set stream=logins/],
    [
      'both monitors',
      ['--set', 'stream=s,metrics.serviceMonitor.enabled=true,metrics.podMonitor.enabled=true'],
      /are both true: every pod would be scraped twice, so choose one/,
    ],
  ] as const)('is refused with a message that explains it: %s', async (_, values, message) => {
    expect(await refusalOf(...values)).toMatch(message);
    expect(await kubectl('get', 'deployments,secrets', '--output', 'name')).toBe('');
  });

  it.skipIf(hasOperator)('is refused with a monitor where the operator is missing, and says what to do', async () => {
    const said = await refusalOf('--set', 'stream=s,metrics.podMonitor.enabled=true');
    expect(said).toContain('does not know monitoring.coreos.com/v1 PodMonitor: install the Prometheus Operator first');
    expect(await kubectl('get', 'deployments,secrets', '--output', 'name')).toBe('');
  });
});
