import { describe, expect, it } from 'vitest';
import { parseMetrics, sum } from '../../../local/scrape.ts';

const PAGE = `# HELP a_total things
# TYPE a_total counter
a_total{shard="s-1",kind="x"} 3
a_total{shard="s-2",kind="x"} 4.5
b 7
`;

describe('a /metrics page', () => {
  it('is read as samples with labels and values, comments left out', () => {
    expect(parseMetrics(PAGE)).toEqual([
      { name: 'a_total', labels: { shard: 's-1', kind: 'x' }, value: 3 },
      { name: 'a_total', labels: { shard: 's-2', kind: 'x' }, value: 4.5 },
      { name: 'b', labels: {}, value: 7 },
    ]);
  });

  it('is summed over the series whose labels include the wanted ones', () => {
    const samples = parseMetrics(PAGE);
    expect(sum(samples, 'a_total')).toBe(7.5);
    expect(sum(samples, 'a_total', { shard: 's-2' })).toBe(4.5);
    expect(sum(samples, 'c')).toBe(0);
  });
});
