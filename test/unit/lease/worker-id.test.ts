/** Worker ids. */
import { describe, expect, it } from 'vitest';
import { createWorkerIds, workerIdPrefix } from '../../../lease/worker-id.ts';

describe('a worker id', () => {
  it('is never the same twice, not even for two processes of the same pod', () => {
    const first = createWorkerIds('worker-0', 'uid');
    const second = createWorkerIds('worker-0', 'uid');

    const ids = new Set([first(), first(), second(), second()]);

    expect(ids.size).toBe(4);
  });

  it('begins with its pod, by which a controller finds it', () => {
    expect(createWorkerIds('worker-0', 'uid')().startsWith(workerIdPrefix('worker-0', 'uid'))).toBe(true);
    expect(createWorkerIds('worker-0', 'uid')()).toMatch(/^worker-0-uid-[0-9a-f]{12}$/);
  });

  it('goes without a pod UID where there are no pods', () => {
    expect(createWorkerIds('laptop')()).toMatch(/^laptop-[0-9a-f]{12}$/);
    expect(createWorkerIds('laptop', '')()).toMatch(/^laptop-[0-9a-f]{12}$/);
  });
});
