/**
 * A TCP proxy between one process of the fleet and one server, which misbehaves on demand as a network does: delays,
 * black holes (nothing arrives, nothing is closed, and what was under way arrives late), cut connections, answers that
 * end in the middle. It knows nothing of what flows through it. Troubles may overlap; each is lifted by itself.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, Socket } from 'node:net';
import type { Clock } from '../../runtime/clock.ts';

/**
 * delay: every chunk arrives `ms` later. blackHole: nothing passes, in both directions or only the answers, until it is
 * lifted. drop: connections are cut, new ones at once. cutAnswers: every `every`th answer is passed half, then the
 * connection is reset.
 */
export type Trouble =
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'blackHole'; readonly of: 'everything' | 'answers' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'cutAnswers'; readonly every: number };

type Direction = 'request' | 'answer';

interface Active {
  readonly trouble: Trouble;
  readonly lifted: Promise<void>;
}

export class FaultProxy {
  readonly #clock: Clock;
  readonly #target: URL;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #active = new Set<Active>();
  #answers = 0;
  #url = '';

  constructor(targetUrl: string, clock: Clock) {
    this.#clock = clock;
    this.#target = new URL(targetUrl);
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#connect(client));
  }

  /** The target's URL with the proxy's port in place of its own. */
  get url(): string {
    return this.#url;
  }

  get connections(): number {
    return this.#sockets.size / 2;
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#url = this.#target.href
      .replace(`:${this.#target.port}`, `:${(this.#server.address() as AddressInfo).port}`)
      .replace(/\/$/, '');
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  /** Begins a trouble; call what is returned to lift it. */
  begin(trouble: Trouble): () => void {
    const { promise: lifted, resolve } = Promise.withResolvers<void>();
    const active = { trouble, lifted };
    this.#active.add(active);
    if (trouble.kind === 'drop') this.reset();
    return () => {
      this.#active.delete(active);
      resolve();
    };
  }

  /** Cuts every connection now, by RST. */
  reset(): void {
    for (const socket of this.#sockets) cut(socket);
  }

  #connect(client: Socket): void {
    if (this.#all('drop').length > 0) {
      cut(client);
      return;
    }
    const server = new Socket({ allowHalfOpen: true });
    server.setNoDelay(true).connect(Number(this.#target.port), this.#target.hostname);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      // Every end is seen where it is read or written; without a listener an error would end the process.
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    }
    void this.#pump(client, server, 'request');
    void this.#pump(server, client, 'answer');
  }

  /** Passes on what comes, in order, each chunk as late as the troubles want; an end or a reset too. Never fails. */
  async #pump(from: Socket, to: Socket, direction: Direction): Promise<void> {
    try {
      for await (const chunk of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        const arrivedMs = this.#clock.monotonicMs();
        await this.#untilLetThrough(direction, arrivedMs);
        if (to.destroyed) continue;
        if (direction === 'answer' && this.#cutsThisAnswer()) {
          to.write(chunk.subarray(0, chunk.length >> 1), () => cut(to));
          cut(from);
          return;
        }
        if (!to.write(chunk)) await Promise.race([once(to, 'drain'), once(to, 'close')]);
      }
      await this.#untilLetThrough(direction, this.#clock.monotonicMs());
      to.end();
    } catch {
      await this.#untilLetThrough(direction, this.#clock.monotonicMs());
      cut(to);
    }
  }

  async #untilLetThrough(direction: Direction, arrivedMs: number): Promise<void> {
    for (;;) {
      const holding = this.#all('blackHole').filter(
        ({ trouble }) => trouble.of === 'everything' || direction === 'answer',
      );
      const delayMs = this.#all('delay').reduce((most, { trouble }) => Math.max(most, trouble.ms), 0);
      const leftMs = arrivedMs + delayMs - this.#clock.monotonicMs();
      if (holding.length > 0) await Promise.all(holding.map(({ lifted }) => lifted));
      else if (leftMs > 0) await this.#clock.sleep(leftMs);
      else return;
    }
  }

  #cutsThisAnswer(): boolean {
    this.#answers += 1;
    return this.#all('cutAnswers').some(({ trouble }) => this.#answers % trouble.every === 0);
  }

  #all<K extends Trouble['kind']>(kind: K): { trouble: Extract<Trouble, { kind: K }>; lifted: Promise<void> }[] {
    return [...this.#active].filter(
      (active): active is { trouble: Extract<Trouble, { kind: K }>; lifted: Promise<void> } =>
        active.trouble.kind === kind,
    );
  }
}

function cut(socket: Socket): void {
  if (socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}
