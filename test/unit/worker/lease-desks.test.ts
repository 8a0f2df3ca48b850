import { expect, it } from 'vitest';
import { LeaseDesks } from '../../../worker/lease-desks.ts';
import { FakeClock } from '../../support/fake-clock.ts';

it('news of a lease make its row worth a look, unless its consumers fail', () => {
  const desks = new LeaseDesks(new FakeClock());
  for (const key of ['a', 'b', 'failing']) desks.of(key).notBeforeMs = 9_000;
  desks.of('failing').failures = 1;
  desks.expectNews('a');
  desks.expectNews('failing');
  expect(['a', 'b', 'failing'].map((key) => desks.of(key).notBeforeMs)).toEqual([0, 9_000, 9_000]);
  desks.expectNews();
  expect(['a', 'b', 'failing'].map((key) => desks.of(key).notBeforeMs)).toEqual([0, 0, 9_000]);
});

it('desks that nobody needs are forgotten, but not while somebody looks', () => {
  const desks = new LeaseDesks(new FakeClock());
  for (const key of ['needed', 'busy', 'old']) desks.of(key).failures = 3;
  desks.of('busy').isBusy = true;
  desks.forget((key) => key === 'needed');
  expect(['needed', 'busy', 'old'].map((key) => desks.of(key).failures)).toEqual([3, 3, 0]);
});

it('a nudge ends the wait for a lease, and one for an unknown lease makes no desk', async () => {
  const clock = new FakeClock();
  const desks = new LeaseDesks(clock);
  const waiting = desks.of('a').nudge.wait(60_000, new AbortController().signal);
  desks.nudge('a');
  desks.nudge('unknown');
  await waiting;
  expect(clock.monotonicMs()).toBe(new FakeClock().monotonicMs());
});
