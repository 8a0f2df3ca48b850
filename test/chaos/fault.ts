/**
 * What chaos does to a fleet, as data: a plan is a list of these, made from a seed (plan.ts), shown in words here, and
 * carried out by striker.ts. Times are milliseconds.
 */
import type { Trouble } from './fault-proxy.ts';

export const SERVERS = ['kinesis', 'dynamodb', 'redis'] as const;
export type ServerName = (typeof SERVERS)[number];

/** A place for one process of the fleet: `worker-2`, `controller-1`. 'every' = all places. */
export type SlotName = string;

export type Fault =
  | { readonly kind: 'kill'; readonly slot: SlotName; readonly downMs: number; readonly clockOffsetMs: number }
  | { readonly kind: 'terminate'; readonly slot: SlotName; readonly downMs: number; readonly clockOffsetMs: number }
  | { readonly kind: 'freeze'; readonly slot: SlotName; readonly forMs: number }
  | { readonly kind: 'scale'; readonly workers: number; readonly clockOffsetMs: number }
  /** `at`: which of the open shards, as a share of their number. */
  | { readonly kind: 'split' | 'merge'; readonly at: number }
  | { readonly kind: 'resize'; readonly shards: number }
  | {
      readonly kind: 'network';
      readonly slot: SlotName;
      readonly servers: readonly ServerName[];
      readonly trouble: Trouble;
      readonly forMs: number;
    }
  /** A rule of the local Kinesis's control endpoint. */
  | { readonly kind: 'kinesisRule'; readonly rule: Readonly<Record<string, unknown>>; readonly forMs: number }
  | { readonly kind: 'expireIterators' }
  | { readonly kind: 'freezeServer'; readonly server: 'dynamodb' | 'redis'; readonly forMs: number }
  | { readonly kind: 'restartRedis'; readonly downMs: number };

export interface PlannedFault {
  readonly atMs: number;
  /** The card of the deck that it was drawn from. */
  readonly card: string;
  readonly fault: Fault;
}

/** What only ends by itself lasts so long, from its beginning. */
export function durationMs(fault: Fault): number {
  if ('forMs' in fault) return fault.forMs;
  return 'downMs' in fault ? fault.downMs : 0;
}

/** One line for people. */
export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case 'kill':
      return `kill -9 of ${fault.slot}, started again after ${seconds(fault.downMs)}${clockText(fault.clockOffsetMs)}`;
    case 'terminate':
      return `SIGTERM to ${fault.slot}, started again ${seconds(fault.downMs)} after its end${clockText(fault.clockOffsetMs)}`;
    case 'freeze':
      return `SIGSTOP of ${fault.slot} for ${seconds(fault.forMs)}`;
    case 'scale':
      return `scale to ${fault.workers} workers${clockText(fault.clockOffsetMs)}`;
    case 'split':
      return `split an open shard (at ${Math.round(fault.at * 100)} % of them)`;
    case 'merge':
      return `merge two neighbours (at ${Math.round(fault.at * 100)} % of the open shards)`;
    case 'resize':
      return `UpdateShardCount to ${fault.shards}`;
    case 'network':
      return `${fault.slot}: ${troubleText(fault.trouble)} ${fault.servers.join(', ')} for ${seconds(fault.forMs)}`;
    case 'kinesisRule':
      return `Kinesis: ${JSON.stringify(fault.rule)} for ${seconds(fault.forMs)}`;
    case 'expireIterators':
      return 'Kinesis: every shard iterator expires';
    case 'freezeServer':
      return `SIGSTOP of the ${fault.server} server for ${seconds(fault.forMs)}`;
    case 'restartRedis':
      return `restart of Redis, down for ${seconds(fault.downMs)}`;
  }
}

function troubleText(trouble: Trouble): string {
  switch (trouble.kind) {
    case 'delay':
      return `${trouble.ms} ms more, each way, to`;
    case 'blackHole':
      return trouble.of === 'everything' ? 'black hole before' : 'no answers (but requests arrive) from';
    case 'drop':
      return 'no connection to';
    case 'cutAnswers':
      return `every ${trouble.every}th answer cut in the middle, from`;
  }
}

function clockText(offsetMs: number): string {
  return offsetMs === 0 ? '' : `, its clock ${offsetMs > 0 ? '+' : '−'}${Math.abs(offsetMs) / 60_000} min`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
