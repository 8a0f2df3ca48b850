import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const CHILD = join(import.meta.dirname, '../../../local/child.ts');
const CLOCK = join(import.meta.dirname, '../../../runtime/clock.ts');

/** Runs a process with a child that would sleep for a minute, and tells the child's pid. */
function childOf(ending: string): number {
  const program = `
    import { Child, exitOnSignals } from ${JSON.stringify(CHILD)};
    import { systemClock as clock } from ${JSON.stringify(CLOCK)};
    exitOnSignals();
    const sleeper = 'process.on("SIGTERM", () => {}); console.log("up"); setTimeout(() => {}, 60_000)';
    const child = new Child({ name: 'sleeper', clock, command: process.execPath, args: ['-e', sleeper] });
    await child.waitForLine((line) => line, 10_000);
    console.log(child.pid);
    ${ending}`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  return Number(stdout);
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a child of the local fleet', () => {
  it.each([
    ['exits', 'process.exit(0)'],
    ['fails', 'throw new Error("nobody catches this")'],
    ['is told to end', 'process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 60_000)'],
  ])('does not outlive a parent that %s', async (_, ending) => {
    const pid = childOf(ending);
    expect(pid).toBeGreaterThan(0);
    await expect.poll(() => isThere(pid), { timeout: 20_000 }).toBe(false);
  });
});
