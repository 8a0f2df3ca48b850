import { describe, expect, it } from 'vitest';
import { createRegistry } from '../../../runtime/metrics.ts';

describe('the registry of a process', () => {
  it("says which process and version this is, and has Node's own metrics", async () => {
    const page = await createRegistry('worker', '1.2.3').metrics();
    expect(page).toContain(`kinesis_fleet_build_info{process="worker",version="1.2.3",node="${process.version}"} 1`);
    expect(page).toContain('nodejs_eventloop_lag_p99_seconds');
  });

  it('has no gauge that is named like a counter', async () => {
    const page = await createRegistry('worker', '1.2.3').metrics();
    expect([...page.matchAll(/^# TYPE (\S+_total) (?!counter)/gm)].map((match) => match[1])).toEqual([]);
  });
});
