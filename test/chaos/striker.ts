/**
 * Carries out the faults of a plan on a stage and its slots. Every fault ends by itself, and `strike` resolves when it
 * has; what Kinesis refuses (a reshard while another is under way) is reported, not thrown.
 */
import {
  type KinesisClient,
  ListShardsCommand,
  MergeShardsCommand,
  type Shard,
  SplitShardCommand,
  UpdateShardCountCommand,
} from '@aws-sdk/client-kinesis';
import type { Stage } from '../../local/stage.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorMessage } from '../../runtime/errors.ts';
import type { Fault, SlotName } from './fault.ts';
import { slotNames } from './plan.ts';
import type { Slot } from './slot.ts';

export interface StrikerParts {
  readonly stage: Stage;
  readonly slots: ReadonlyMap<SlotName, Slot>;
  readonly clock: Clock;
  /** After SIGTERM. */
  readonly graceMs: number;
}

type Of<K extends Fault['kind']> = Extract<Fault, { readonly kind: K }>;

export class Striker {
  readonly #parts: StrikerParts;

  constructor(parts: StrikerParts) {
    this.#parts = parts;
  }

  /** Undefined when it struck, else why it did not. Never fails. */
  async strike(fault: Fault): Promise<string | undefined> {
    try {
      await this.#act(fault);
      return undefined;
    } catch (error) {
      return errorMessage(error);
    }
  }

  async #act(fault: Fault): Promise<void> {
    const { clock, graceMs, stage } = this.#parts;
    switch (fault.kind) {
      case 'kill':
        await this.#slot(fault.slot).kill();
        await clock.sleep(fault.downMs);
        return this.#slot(fault.slot).start(fault.clockOffsetMs);
      case 'terminate':
        await this.#slot(fault.slot).terminate(graceMs);
        await clock.sleep(fault.downMs);
        return this.#slot(fault.slot).start(fault.clockOffsetMs);
      case 'freeze':
        return this.#slot(fault.slot).freeze(fault.forMs);
      case 'scale':
        return this.#scale(fault);
      case 'split':
      case 'merge':
      case 'resize':
        return this.#reshard(fault);
      case 'network':
        return this.#network(fault);
      case 'kinesisRule':
        return this.#kinesisRule(fault);
      case 'expireIterators':
        await this.#control('POST', '', { expireIterators: true });
        return;
      case 'freezeServer':
        return this.#freezeServer(fault);
      case 'restartRedis':
        if (stage.servers.redisKind !== 'redis-server') throw new Error('this Redis keeps nothing over a restart');
        return stage.servers.restartRedis(fault.downMs);
    }
  }

  async #scale({ workers, clockOffsetMs }: Of<'scale'>): Promise<void> {
    const wanted = new Set(slotNames('worker', workers));
    const all = [...this.#parts.slots.values()].filter(({ kind }) => kind === 'worker');
    await Promise.all(
      all.map((slot) => {
        if (!wanted.has(slot.name)) return slot.terminate(this.#parts.graceMs);
        return slot.life ? undefined : slot.start(clockOffsetMs);
      }),
    );
  }

  async #reshard(fault: Of<'split' | 'merge' | 'resize'>): Promise<void> {
    const { stage } = this.#parts;
    const { kinesis, stream: StreamName } = stage;
    await stage.untilActive();
    if (fault.kind === 'resize') {
      const ScalingType = 'UNIFORM_SCALING';
      await kinesis.send(new UpdateShardCountCommand({ StreamName, TargetShardCount: fault.shards, ScalingType }));
    } else {
      const open = await openShards(kinesis, StreamName);
      const count = fault.kind === 'split' ? open.length : open.length - 1;
      const [shard, next] = open.slice(Math.min(count - 1, Math.floor(fault.at * count)));
      if (fault.kind === 'split') await kinesis.send(splitOf(StreamName, shard!));
      else await kinesis.send(mergeOf(StreamName, shard!, next!));
    }
    await stage.untilActive();
  }

  async #network({ slot, servers, trouble, forMs }: Of<'network'>): Promise<void> {
    const slots = slot === 'every' ? [...this.#parts.slots.values()] : [this.#slot(slot)];
    const lifts = slots.flatMap(({ proxies }) => servers.map((server) => proxies[server].begin(trouble)));
    await this.#parts.clock.sleep(forMs);
    for (const lift of lifts) lift();
  }

  async #kinesisRule({ rule, forMs }: Of<'kinesisRule'>): Promise<void> {
    const { rules } = (await this.#control('POST', '', rule)) as { rules: { id: number }[] };
    await this.#parts.clock.sleep(forMs);
    for (const { id } of rules) await this.#control('DELETE', `?id=${id}`);
  }

  async #freezeServer({ server, forMs }: Of<'freezeServer'>): Promise<void> {
    const child = this.#parts.stage.servers.children.find(({ name }) => name === server);
    child?.kill('SIGSTOP');
    await this.#parts.clock.sleep(forMs);
    child?.kill('SIGCONT');
  }

  async #control(method: string, query: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(`${this.#parts.stage.servers.kinesisUrl}/_local/faults${query}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`the local Kinesis refused a fault: ${await answer.text()}`);
    return answer.json();
  }

  #slot(name: SlotName): Slot {
    const slot = this.#parts.slots.get(name);
    if (!slot) throw new Error(`there is no ${name}`);
    return slot;
  }
}

async function openShards(kinesis: KinesisClient, StreamName: string): Promise<Shard[]> {
  const shards: Shard[] = [];
  let NextToken: string | undefined;
  do {
    const page = await kinesis.send(new ListShardsCommand(NextToken ? { NextToken } : { StreamName }));
    shards.push(...(page.Shards ?? []));
    NextToken = page.NextToken;
  } while (NextToken);
  const open = shards.filter(({ SequenceNumberRange }) => SequenceNumberRange?.EndingSequenceNumber === undefined);
  return open.toSorted((a, b) => (startOf(a) < startOf(b) ? -1 : 1));
}

function startOf({ HashKeyRange }: Shard): bigint {
  return BigInt(HashKeyRange?.StartingHashKey ?? 0);
}

function splitOf(StreamName: string, shard: Shard): SplitShardCommand {
  const middle = (startOf(shard) + BigInt(shard.HashKeyRange?.EndingHashKey ?? 0)) / 2n + 1n;
  return new SplitShardCommand({ StreamName, ShardToSplit: shard.ShardId, NewStartingHashKey: String(middle) });
}

function mergeOf(StreamName: string, left: Shard, right: Shard): MergeShardsCommand {
  return new MergeShardsCommand({ StreamName, ShardToMerge: left.ShardId, AdjacentShardToMerge: right.ShardId });
}
