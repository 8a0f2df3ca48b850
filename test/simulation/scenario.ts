/**
 * What befalls the world while faults last, drawn from the seed: records come all the time; processes are killed, paused
 * and restarted, workers are scaled, the stream is resharded, Redis fails over; in some worlds it loses more than it may,
 * and an operator comes to mend. When faults stop there is at least one controller and one worker, and everything that was
 * paused goes on.
 */
import { runController } from './controller-process.ts';
import { KIND } from './faults.ts';
import { runOperator } from './operator-process.ts';
import { LEAP_MS } from './settings.ts';
import { OPERATOR, type SimProcess } from './sim-process.ts';
import { runWorker } from './worker-process.ts';
import type { World } from './world.ts';

/** Mean time between two events of a kind; undefined = there are none in this world. */
interface Frequencies {
  readonly killMs: number | undefined;
  readonly pauseMs: number | undefined;
  readonly scaleMs: number | undefined;
  readonly reshardMs: number | undefined;
  readonly failOverMs: number | undefined;
}

const MOST_WORKERS = 6;
const MOST_SHARDS = 10;
const LONGEST_PAUSE_MS = 5_000;
const RESTARTED_WITHIN_MS = 1_500;
/** A strike hits at one of the next calls, so that it falls between asking, applying and answering. */
const STRIKES_WITHIN_STEPS = 30;
const IMAGE_EVERY_MS = 2_000;
/** Mean times, in the worlds in which Redis loses more than it may. */
const LONG_TAIL_MS = 3_500;
const LOST_SLOT_MS = 7_000;

export class Scenario {
  readonly #world: World;
  #workers = 0;
  #controllers = 0;
  #operators = 0;
  /** Workers there should be. */
  #wanted: number;

  constructor(world: World) {
    this.#world = world;
    this.#wanted = world.settings.workers;
  }

  begin(isKind: boolean): void {
    const { random, schedule, settings } = this.#world;
    for (let i = 0; i < settings.controllers; i++) this.#startController();
    if (settings.longestTailMs > settings.settleMs && !isKind) this.#startOperator();
    for (let i = 0; i < settings.workers; i++) schedule.after(random.int(500), undefined, () => this.#startWorker());
    this.#putRecords();
    this.#every(IMAGE_EVERY_MS, () => this.#checkImages());
    if (!isKind) this.#befall();
    schedule.at(settings.faultsMs, undefined, () => this.#stopFaults());
  }

  get areFaultsOver(): boolean {
    return this.#world.schedule.nowMs > this.#world.settings.faultsMs;
  }

  #befall(): void {
    const { random, settings } = this.#world;
    const { settleMs, longestTailMs, losesSlots, leapEveryMs } = settings;
    const maybe = (meanMs: number): number | undefined =>
      random.chance(0.6) ? meanMs * (0.5 + random.next()) : undefined;
    const often: Frequencies = {
      killMs: maybe(2_500),
      pauseMs: maybe(2_000),
      scaleMs: maybe(4_000),
      reshardMs: maybe(4_000),
      failOverMs: maybe(1_500),
    };
    this.#sometimes(often.killMs, () => this.#strike((victim) => this.#kill(victim)));
    this.#sometimes(often.pauseMs, () => this.#strike((victim) => this.#pause(victim)));
    this.#sometimes(often.scaleMs, () => this.#scale());
    this.#sometimes(often.reshardMs, () => this.#reshard());
    this.#sometimes(often.failOverMs, () => this.#failOver(settleMs));
    this.#sometimes(longestTailMs > settleMs ? LONG_TAIL_MS : undefined, () => this.#failOver(longestTailMs));
    this.#sometimes(losesSlots ? LOST_SLOT_MS : undefined, () => this.#loseSlot());
    this.#sometimes(leapEveryMs, () => this.#world.leap(LEAP_MS + random.int(LEAP_MS)));
  }

  #putRecords(): void {
    const { random, schedule, settings, stream, truth } = this.#world;
    const put = (): void => {
      const burst = random.chance(0.1) ? random.int(20) : 1;
      for (let i = 0; i < burst; i++) truth.put(stream, random.pick(stream.open), this.#world.wallMs());
      if (!this.areFaultsOver) schedule.after(random.int(2 * settings.recordEveryMs), undefined, put);
    };
    put();
  }

  #sometimes(meanMs: number | undefined, act: () => void): void {
    if (meanMs === undefined) return;
    const { random, schedule } = this.#world;
    const next = (): void => {
      if (this.areFaultsOver) return;
      act();
      schedule.after(random.int(2 * meanMs), undefined, next);
    };
    schedule.after(random.int(2 * meanMs), undefined, next);
  }

  #every(ms: number, act: () => void): void {
    const again = (): void => {
      act();
      this.#world.schedule.after(ms, undefined, again);
    };
    this.#world.schedule.after(ms, undefined, again);
  }

  #startWorker(): void {
    this.#world.start(`w${++this.#workers}`, runWorker);
  }

  #startController(): void {
    this.#world.start(`c${++this.#controllers}`, runController);
  }

  #startOperator(): void {
    this.#world.start(`${OPERATOR}${++this.#operators}`, runOperator);
  }

  #strike(act: (victim: SimProcess) => void): void {
    const { random, processes } = this.#world;
    const living = processes.filter((process) => !process.isDead && !process.isPaused);
    if (living.length === 0) return;
    const victim = random.pick(living);
    victim.strikeAfter(1 + random.int(STRIKES_WITHIN_STEPS), () => {
      if (!this.areFaultsOver) act(victim);
    });
  }

  #kill(victim: SimProcess): void {
    const { random, schedule } = this.#world;
    this.#world.end(victim, 'is killed');
    schedule.after(random.int(RESTARTED_WITHIN_MS), undefined, () => this.#replace());
  }

  #pause(victim: SimProcess): void {
    const { random, schedule, trace } = this.#world;
    const ms = random.int(LONGEST_PAUSE_MS);
    trace.note(victim.name, 'is paused', () => `for ${ms} ms`);
    victim.pausedUntilMs = schedule.nowMs + ms;
  }

  /** What Kubernetes does: as many as are wanted. */
  #replace(): void {
    const { settings } = this.#world;
    if (this.#world.alive('c').length < settings.controllers) this.#startController();
    if (this.#operators > 0 && this.#world.alive(OPERATOR).length === 0) this.#startOperator();
    const staying = this.#world.alive('w').filter((process) => !process.isAskedToStop);
    for (let i = staying.length; i < this.#wanted; i++) this.#startWorker();
  }

  #scale(): void {
    const { random, trace } = this.#world;
    this.#wanted = 1 + random.int(MOST_WORKERS);
    trace.note('world', `scales to ${this.#wanted} workers`);
    const staying = this.#world.alive('w').filter((process) => !process.isAskedToStop);
    for (const process of staying.slice(this.#wanted)) this.#terminate(process);
    this.#replace();
  }

  /** SIGTERM. */
  #terminate(process: SimProcess): void {
    this.#world.trace.note(process.name, 'is asked to stop');
    process.isAskedToStop = true;
    this.#world.schedule.after(0, process, () => process.terminated.abort(new Error('SIGTERM')));
  }

  #reshard(): void {
    const { random, stream, trace } = this.#world;
    if (stream.shards.length >= MOST_SHARDS) return;
    const shard = random.pick(stream.open);
    const isSplit = random.chance(0.6);
    trace.note('world', `${isSplit ? 'splits' : 'merges'} ${shard.id}`);
    if (isSplit) stream.split(shard);
    else stream.merge(shard);
  }

  #failOver(longestTailMs: number): void {
    const { hints, random, redis, schedule, settings } = this.#world;
    const slot = random.int(settings.spec.slots);
    const writtenMs = redis.writesOf(slot, longestTailMs);
    redis.failOver(slot, writtenMs.length > 0 ? random.pick(writtenMs) : schedule.nowMs);
    hints.dropConnections();
  }

  #loseSlot(): void {
    const { hints, random, redis, settings } = this.#world;
    redis.loseSlot(random.int(settings.spec.slots));
    hints.dropConnections();
  }

  #checkImages(): void {
    const { settings, slotInvariants } = this.#world;
    for (let slot = 0; slot < settings.spec.slots; slot++) slotInvariants.checkImage(slot);
  }

  #stopFaults(): void {
    const { leaseInvariants, network, processes, schedule, trace } = this.#world;
    trace.note('world', 'is kind from now on');
    network.unkindness = KIND;
    for (const process of processes) process.pausedUntilMs = Math.min(process.pausedUntilMs, schedule.nowMs);
    this.#replace();
    leaseInvariants.takeMoves();
  }
}
