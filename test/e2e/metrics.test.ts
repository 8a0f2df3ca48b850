/** What the Prometheus Operator's Prometheus sees of a fleet: each pod once, each shard at its owner, exact totals. */
import { describe, expect, it } from 'vitest';
import { CHART } from '../support/chart-values.ts';
import { isShort, sharedClusterFleet, timed } from '../support/cluster-case.ts';
import { type ClusterFleet, type Pod, RELEASE } from '../support/cluster-fleet.ts';
import { prometheusUrl, query, type Sample, untilSampled } from '../support/cluster-prometheus.ts';

const SELECTED = 'labels.release=kube-prometheus-stack';

if (!prometheusUrl && !isShort) {
  console.warn('PROMETHEUS is not set: what the Prometheus Operator makes of the monitors is not tested here');
}

function sorted(texts: readonly string[]): string[] {
  return texts.toSorted((a, b) => (a < b ? -1 : 1));
}

function podsOf(samples: readonly Sample[]): string[] {
  return sorted(samples.map(({ labels }) => labels.pod ?? ''));
}

/** The series of the ledger as `kinesis-fleet counts` shows the same totals. */
function countsOf(samples: readonly Sample[]): Record<string, unknown> {
  const counts: Record<string, number | Record<string, number>> = { records: 0 };
  for (const { labels, value: count } of samples) {
    const { judgement, counter, unique = '', value } = labels;
    const name = judgement ?? (counter ? `${counter}s` : `unique${unique.charAt(0).toUpperCase()}${unique.slice(1)}`);
    if (judgement) counts.records = Number(counts.records) + count;
    counts[name] = value === undefined ? count : { ...(counts[name] as object), [value]: count };
  }
  return counts;
}

const BY_SERVICE = `job=~"${RELEASE}-(worker|controller)-metrics"`;

/** The PodMonitor that the chart makes instead when it is chosen: here beside the other one. */
async function prepare(fleet: ClusterFleet): Promise<void> {
  const chosen = `stream=s,metrics.podMonitor.enabled=true,metrics.podMonitor.${SELECTED}`;
  const crds = ['--api-versions', 'monitoring.coreos.com/v1/PodMonitor', '--show-only', 'templates/metrics.yaml'];
  const manifests = await fleet.helm('template', RELEASE, CHART, '--set', chosen, ...crds);
  const input = manifests.split(/^---$/m).find((manifest) => /^kind: PodMonitor$/m.test(manifest)) ?? '';
  await fleet.kubectl(['apply', '--filename', '-'], { input });
}

describe.skipIf(isShort || !prometheusUrl)('a fleet on a real cluster, seen by Prometheus', () => {
  const fleet = sharedClusterFleet('metrics', {
    helmOptions: ['--set', `metrics.serviceMonitor.enabled=true,metrics.serviceMonitor.${SELECTED}`],
    // Prometheus takes the first new monitor at once, and may take minutes for the next: here they come together.
    prepare,
  });
  const here = `namespace="${fleet.namespace}"`;

  async function everyPodUp(job: string): Promise<string[]> {
    const pods: Pod[] = (await Promise.all([fleet.pods('worker'), fleet.pods('controller')])).flat();
    const names = sorted(pods.map(({ metadata }) => metadata.name));
    const isRight = (samples: readonly Sample[]) =>
      podsOf(samples).join() === names.join() && samples.every(({ value }) => value === 1);
    return podsOf(await untilSampled(`up of ${names.join(', ')}`, `up{${here},${job}}`, isRight));
  }

  it('is scraped through a ServiceMonitor: every pod is a target, once, and up', async () => {
    await fleet.untilBalanced(2);
    const pods = await timed('metrics: every pod up by ServiceMonitor', () => everyPodUp(BY_SERVICE));
    expect(pods).toHaveLength(4);
  });

  it('is scraped through a PodMonitor just as well', async () => {
    const pods = await timed('metrics: every pod up by PodMonitor', () =>
      everyPodUp(`job="${fleet.namespace}/${RELEASE}"`),
    );
    expect(pods).toHaveLength(4);
  });

  it('has totals in Prometheus that are equal to what the producer stored', async () => {
    await fleet.startProducer(1_000, 5_000);
    const truth = await fleet.untilProduced();
    const names = 'kinesis_fleet_ledger_(records_total|counter_total|unique_members.*)';
    const totals = `{__name__=~"${names}",${here},${BY_SERVICE}}`;
    const isWhole = (samples: readonly Sample[]) => countsOf(samples).records === truth.records;
    const samples = await timed('metrics: all records in the totals', () =>
      untilSampled('the totals', totals, isWhole),
    );
    expect(countsOf(samples)).toEqual(truth);
  });

  it('shows each shard at its owner alone: at the old one it vanishes with the move', async () => {
    const lag = `kinesis_fleet_shard_lag_seconds{${here},${BY_SERVICE}}`;
    const before = await query(lag);
    await fleet.scale(3);
    const shards = await fleet.untilBalanced(3);
    const owners = sorted(shards.map(({ shard, owner }) => `${shard} ${owner.split('-').slice(0, -6).join('-')}`));
    const where = (samples: readonly Sample[]) => sorted(samples.map(({ labels }) => `${labels.shard} ${labels.pod}`));
    const after = await timed('metrics: each shard at its new owner alone', () =>
      untilSampled('one series per shard', lag, (samples) => where(samples).join() === owners.join()),
    );
    expect(where(before)).not.toEqual(where(after));
    expect(where(after)).toEqual(owners);
  });
});
