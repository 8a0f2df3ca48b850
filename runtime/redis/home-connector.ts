/**
 * Leads a client to the primary of one hash slot of a Redis Cluster, found anew for each connection: so that a client is
 * one connection to one node, a reconnect is seen as one, and nothing is sent twice behind anybody's back. Nodes are
 * asked in turn, for one that is cut off from the others may still believe in a primary that is none any more.
 */
import { createConnection } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { AbstractConnector } from 'ioredis';
import { backoffMs } from '../backoff.ts';
import { systemClock } from '../clock.ts';
import { errorMessage } from '../errors.ts';
import { nodesOf, parseSlotMap, primaryOf } from './slot-map.ts';
import type { RedisHost } from './target.ts';

export interface HomeOptions {
  readonly slot: number;
  /** Nodes to ask first. */
  readonly seeds: readonly RedisHost[];
  readonly tls: Parameters<typeof connectTls>[1] | undefined;
  readonly disconnectTimeoutMs: number;
  /** Gives the answer to CLUSTER SLOTS. */
  readonly ask: (host: RedisHost) => Promise<unknown>;
}

type Stream = ReturnType<typeof createConnection> | TLSSocket;
type OnError = (type: string, error: Error) => void;

const BACKOFF = { baseMs: 50, maxMs: 1_000 };

export class HomeConnector extends AbstractConnector {
  readonly #options: HomeOptions;
  #nodes: readonly RedisHost[];
  #next = 0;

  constructor(options: HomeOptions) {
    super(options.disconnectTimeoutMs);
    this.#options = options;
    this.#nodes = options.seeds;
  }

  /** Looks for a primary until there is one, or the client is closed. */
  override async connect(onError: OnError): Promise<Stream> {
    this.connecting = true;
    for (let attempt = 1; ; attempt++) {
      const home = await this.#find(onError);
      if (!this.connecting) throw new Error('Connection is closed.');
      if (home) return this.#open(home);
      await systemClock.sleep(backoffMs(BACKOFF, attempt));
    }
  }

  #open({ host, port }: RedisHost): Stream {
    const { tls } = this.#options;
    const stream = tls ? connectTls({ ...tls, host, port }) : createConnection({ host, port });
    stream.once('error', (error: Error) => {
      this.firstError = error;
    });
    this.stream = stream;
    return stream;
  }

  /** Asks the next node. */
  async #find(onError: OnError): Promise<RedisHost | undefined> {
    const asked = this.#nodes[this.#next++ % this.#nodes.length]!;
    try {
      const ranges = parseSlotMap(await this.#options.ask(asked), asked);
      const known = nodesOf(ranges).all;
      const { seeds, slot } = this.#options;
      if (known.length > 0) this.#nodes = [...seeds, ...known];
      const home = primaryOf(ranges, slot);
      if (!home) onError('error', new Error(`no node of the cluster serves slot ${slot}`));
      return home;
    } catch (error) {
      onError('error', new Error(`no slots from ${asked.host}:${asked.port}: ${errorMessage(error)}`));
      return undefined;
    }
  }
}
