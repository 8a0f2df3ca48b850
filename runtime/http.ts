/**
 * The HTTP port of a process: /metrics, /livez, /readyz. Port 0 takes a free one; a busy port is a refusal that names
 * its number. A handler that fails answers 500 and never ends the process.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errorMessage, StartRefused } from './errors.ts';

export interface Health {
  readonly ok: boolean;
  /** Shown in the body as JSON: what is well and what is not, in words. */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface HttpPages {
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>;
  live(): Health;
  ready(): Health;
}

export interface HttpEndpoint {
  readonly port: number;
  close(): Promise<void>;
}

/** @param host default: all addresses, of IPv6 too where there are any. @throws StartRefused when the port is taken. */
export async function serveHttp(port: number, pages: HttpPages, host?: string): Promise<HttpEndpoint> {
  const server = createServer((request, response) => {
    answer(request, response, pages).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' });
      response.end(`${errorMessage(error)}\n`);
    });
  });
  await listen(server, port, host);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number, host: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new StartRefused(`HTTP_PORT ${port} is in use by another process: choose another, or 0 for any free port`, {
              port,
            })
          : new StartRefused(`HTTP_PORT ${port} cannot be opened: ${error.message}`, { port }),
      );
    });
    server.listen({ port, host }, () => resolve());
  });
}

async function answer(request: IncomingMessage, response: ServerResponse, pages: HttpPages): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, 405, 'text/plain', 'only GET\n');
  switch (request.url?.split('?')[0]) {
    case '/metrics': {
      const metrics = await pages.metrics();
      return send(response, 200, metrics.contentType, metrics.body);
    }
    case '/livez':
      return sendHealth(response, pages.live());
    case '/readyz':
      return sendHealth(response, pages.ready());
    default:
      return send(response, 404, 'text/plain', 'there are /metrics, /livez and /readyz\n');
  }
}

function sendHealth(response: ServerResponse, health: Health): void {
  send(
    response,
    health.ok ? 200 : 503,
    'application/json',
    `${JSON.stringify({ ok: health.ok, ...health.details })}\n`,
  );
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'content-type': contentType });
  response.end(body);
}
