/**
 * Stands between a client and a DynamoDB and makes its calls go wrong: answers errors, hangs, or lets a call happen
 * and then cuts the connection, as a network does at the worst moment.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface CallFault {
  /** answer: this, instead of the real one. lose: it happens, the connection is cut. hang: nothing ever comes. */
  readonly kind: 'answer' | 'lose' | 'hang';
  readonly status?: number;
  readonly body?: unknown;
}

export class FaultyDynamoDb {
  /** Faults of the next calls, in order; `undefined` lets one pass. When empty all pass. */
  readonly faults: (CallFault | undefined)[] = [];
  /** Operations received, in order: `UpdateItem`, ... */
  readonly operations: string[] = [];
  /** Bodies received, in order. */
  readonly requests: Readonly<Record<string, unknown>>[] = [];
  endpoint = '';
  readonly #behind: string;
  readonly #server = createServer((request, response) => {
    this.#serve(request, response).catch(() => response.destroy());
  });

  /** @param behind endpoint of the real one. */
  constructor(behind: string) {
    this.#behind = behind;
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.endpoint = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The next `times` calls are answered with this AWS error. */
  refuse(name: string, status = 400, times = 1): void {
    const body = { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: `injected ${name}` };
    for (let i = 0; i < times; i++) this.faults.push({ kind: 'answer', status, body });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    this.operations.push(String(request.headers['x-amz-target']).split('.')[1] ?? '?');
    this.requests.push(JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>);
    const fault = this.faults.shift();
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'answer') return answer(response, fault.status ?? 200, JSON.stringify(fault.body));
    const { host: _, connection: __, 'content-length': ___, expect: ____, ...headers } = request.headers;
    const real = await fetch(this.#behind, {
      method: 'POST',
      headers: headers as Record<string, string>,
      body: Buffer.concat(chunks),
    });
    const text = await real.text();
    if (fault?.kind === 'lose') response.destroy();
    else answer(response, real.status, text);
  }
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
  response.end(body);
}
