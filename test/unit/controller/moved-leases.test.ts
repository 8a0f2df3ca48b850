import { afterEach, expect, it } from 'vitest';
import { settledWorld, type World } from './controller-world.ts';

let world: World;
afterEach(() => world.end());

/** Workers told of a moved lease since the mark, with its shard. */
function told(since: number): string[] {
  return world.bus.sent
    .slice(since)
    .flatMap(({ channel, hint }) =>
      hint.kind === 'lease-moved' ? [`${channel} ${hint.leaseKey.slice(hint.leaseKey.indexOf('shard-'))}`] : [],
    );
}

it('a handoff is told to the old owner and to the new one, before their orders are written', async () => {
  ({ world } = await settledWorld(2, ['w1']));
  const mark = world.bus.sent.length;
  world.startWorker('w2');
  await world.clock.advance(2_000);

  const [moved] = Object.entries(world.owners()).filter(([, owner]) => owner === 'w2');
  const shard = moved?.[0] ?? '';
  expect(new Set(told(mark))).toEqual(new Set([`w1 ${shard}`, `w2 ${shard}`]));
  const kinds = world.bus.sent.slice(mark).map(({ hint }) => hint.kind);
  expect(kinds.indexOf('lease-moved')).toBeLessThan(kinds.indexOf('orders-changed'));
});

it('a lease taken from a dead worker is told to its new owner alone', async () => {
  const settled = await settledWorld(2, ['w1', 'w2']);
  ({ world } = settled);
  const [lost = ''] = Object.entries(world.owners()).find(([, owner]) => owner === 'w1') ?? [];
  const mark = world.bus.sent.length;

  settled.fleet.get('w1')?.kill();
  await world.clock.advance(2_000);

  expect(told(mark)).toEqual([`w2 ${lost}`]);
});
