import { expect, it } from 'vitest';
import { FlowCounts } from '../../../../worker/shard/flow-counts.ts';
import { Handover } from '../../../../worker/shard/handover.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

function handover() {
  const clock = new FakeClock();
  const counts = new FlowCounts();
  const lines: Record<string, unknown>[] = [];
  const logger = {
    debug: () => undefined,
    info: (message: string, fields = {}) => void lines.push({ message, ...fields }),
    warn: () => undefined,
    error: () => undefined,
    child: () => logger,
  };
  const seconds = () =>
    Object.fromEntries([...counts.handoverSeconds].flatMap(([step, { sum }]) => (sum > 0 ? [[step, sum]] : [])));
  return { clock, lines, seconds, handover: new Handover(clock, logger, counts) };
}

const STATUS = {
  ...{ reads: 1, throttled: 0, failures: 0, trimmed: 0, recordsAhead: 0 },
  ...{ lastError: undefined, condition: undefined, degradedSinceMs: undefined },
};

it('a shard taken up tells once how long it took to open, to read, and to count', async () => {
  const { clock, lines, seconds, handover: steps } = handover();
  const claimedMs = clock.monotonicMs();
  await clock.advance(10);
  steps.opened();
  await clock.advance(30);
  steps.opened();
  const status = () => ({ ...STATUS, firstIteratorMs: claimedMs + 5, firstAnswerMs: claimedMs + 20 });
  steps.counted({ status }, claimedMs + 25);
  await clock.advance(1_000);
  steps.counted({ status }, claimedMs + 900);

  expect(lines).toEqual([
    { message: 'shard taken up', openedMs: 10, iteratorMs: 5, answeredMs: 20, handedOutMs: 25, countedMs: 40 },
  ]);
  expect(seconds()).toEqual({ open: 0.01, read: 0.015, commit: 0.015 });
});

it('a shard given back tells how long its last batch, its checkpoint and its release took', async () => {
  const { clock, lines, seconds, handover: steps } = handover();
  await clock.advance(60_000);
  steps.asked();
  await clock.advance(8);
  steps.finished();
  await clock.advance(4);
  steps.checkpointed();
  await clock.advance(2);
  steps.released();

  expect(lines).toEqual([{ message: 'shard given back', finishMs: 8, checkpointMs: 4, releaseMs: 2 }]);
  expect(seconds()).toEqual({ finish: 0.008, checkpoint: 0.004, release: 0.002 });
});
