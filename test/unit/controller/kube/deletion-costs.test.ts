import { describe, expect, it } from 'vitest';
import { costsToWrite } from '../../../../controller/kube/deletion-costs.ts';

function pods(...pairs: readonly (readonly [leases: number, cost: number])[]) {
  return pairs.map(([leases, cost], i) => ({ name: `w-${i}`, uid: `u${i}`, leases, cost }));
}

describe('deletion costs', () => {
  it('are not written while they order the pods as their leases do', () => {
    expect(costsToWrite([])).toEqual([]);
    expect(costsToWrite(pods([3, 0], [3, 0], [3, 9]))).toEqual([]);
    expect(costsToWrite(pods([1, 2], [5, 40], [3, 17], [3, 11]))).toEqual([]);
  });

  it('become the numbers of leases when a pod with fewer leases would not go first', () => {
    const written = costsToWrite(pods([1, 0], [2, 0], [4, 4]));
    expect(written.map((pod) => [pod.name, pod.leases])).toEqual([
      ['w-0', 1],
      ['w-1', 2],
    ]);
  });

  it('are compared with every pod that has fewer leases, not only with the next', () => {
    expect(costsToWrite(pods([1, 5], [2, 6], [2, 9], [3, 8]))).not.toEqual([]);
  });

  it('order the pods once they are written', () => {
    const before = pods([4, 1], [1, 4], [2, 3], [0, 0]);
    const written = new Map(costsToWrite(before).map((pod) => [pod.name, pod.leases]));
    expect(costsToWrite(before.map((pod) => ({ ...pod, cost: written.get(pod.name) ?? pod.cost })))).toEqual([]);
  });
});
