/** Reads a /metrics page as numbers: what Prometheus would see. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Undefined when the process does not answer within a second. */
export async function scrape(httpUrl: string): Promise<Sample[] | undefined> {
  try {
    const answer = await fetch(`${httpUrl}/metrics`, { signal: AbortSignal.timeout(1_000) });
    return answer.ok ? parseMetrics(await answer.text()) : undefined;
  } catch {
    return undefined;
  }
}

export function parseMetrics(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    const parts = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!parts?.[1]) continue;
    const labels: Record<string, string> = {};
    for (const label of (parts[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g))
      labels[label[1] ?? ''] = label[2] ?? '';
    samples.push({ name: parts[1], labels, value: Number(parts[3]) });
  }
  return samples;
}

/** Sum of the series of a name whose labels include the given ones. */
export function sum(samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>> = {}): number {
  return samples
    .filter(
      (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    )
    .reduce((total, sample) => total + sample.value, 0);
}
