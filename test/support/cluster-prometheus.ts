/**
 * The Prometheus that the operator runs in the cluster, by the address in PROMETHEUS. What it selects is its own
 * matter; here it is the label of kube-prometheus-stack, as in the chart's README.
 */
import { run, until } from './cluster-command.ts';

export const prometheusUrl = process.env.PROMETHEUS ?? '';

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Answer {
  readonly data: { readonly result: readonly { metric: Record<string, string>; value: [number, string] }[] };
}

/** The instant vector of an expression. */
export async function query(expression: string): Promise<Sample[]> {
  const url = `${prometheusUrl}/api/v1/query?query=${encodeURIComponent(expression)}`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  if (!answer.ok) throw new Error(`${expression}: ${answer.status} ${await answer.text()}`);
  const { data } = (await answer.json()) as Answer;
  return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
}

/** kubelet brings a changed configuration within 90 s; its reloader looks by itself every 3 minutes. */
const PATIENCE_MS = 280_000;

/** Asks until the answer is as it should be; meanwhile wakes kubelet, so that Prometheus takes new monitors soon. */
export async function untilSampled(
  what: string,
  expression: string,
  isRight: (samples: readonly Sample[]) => boolean,
): Promise<Sample[]> {
  let asked = 0;
  return until(what, PATIENCE_MS, async () => {
    if (asked++ % 40 === 8) await lookAtConfiguration();
    const samples = await query(expression);
    if (isRight(samples)) return samples;
    throw new Error(JSON.stringify(samples).slice(0, 1_000));
  });
}

/** A change of its pod has kubelet bring every Secret up to date. */
async function lookAtConfiguration(): Promise<void> {
  const found = ['get', 'pods', '--all-namespaces', '--selector', 'operator.prometheus.io/name', '--output', 'json'];
  const { items } = JSON.parse(await run('kubectl', found)) as {
    items: readonly { metadata: { name: string; namespace: string } }[];
  };
  const note = `kinesis-fleet-e2e=${Date.now()}`;
  for (const { metadata } of items) {
    const { name, namespace } = metadata;
    await run('kubectl', ['annotate', 'pod', name, '--namespace', namespace, '--overwrite', note]);
  }
}
