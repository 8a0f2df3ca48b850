/** The proxy does to a connection what it says, and no more. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock as clock } from '../../runtime/clock.ts';
import { FaultProxy } from './fault-proxy.ts';

describe('FaultProxy', () => {
  let server: Server;
  let proxy: FaultProxy;
  const clients: Socket[] = [];
  let heard = '';

  /** A client that keeps what it hears, against a server that answers everything in capitals. */
  async function client(): Promise<{ socket: Socket; said: () => string; closed: Promise<boolean> }> {
    const { hostname, port } = new URL(proxy.url);
    const socket = connect(Number(port), hostname).on('error', () => undefined);
    clients.push(socket);
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    const closed = new Promise<boolean>((resolve) => socket.once('close', () => resolve(true)));
    return { socket, said: () => text, closed };
  }

  async function until(isSo: () => boolean): Promise<void> {
    for (let tries = 0; tries < 400 && !isSo(); tries++) await clock.sleep(5);
    expect(isSo()).toBe(true);
  }

  beforeEach(async () => {
    heard = '';
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        heard += chunk.toString();
        socket.write(chunk.toString().toUpperCase());
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    proxy = new FaultProxy(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`, clock);
    await proxy.start();
  });
  afterEach(async () => {
    for (const socket of clients.splice(0)) socket.destroy();
    await proxy.stop();
    server.close();
  });

  it('passes everything on, ends too, and keeps no connection', async () => {
    const { socket, said } = await client();
    socket.end('hello');
    await until(() => said() === 'HELLO');
    await until(() => proxy.connections === 0);
  });

  it('holds everything back in a black hole, and delivers it late, even when the sender has gone', async () => {
    const { socket, said } = await client();
    socket.write('a');
    await until(() => said() === 'A');
    const lift = proxy.begin({ kind: 'blackHole', of: 'everything' });
    socket.write('late');
    await clock.sleep(60);
    socket.destroy();
    await clock.sleep(60);
    const heardInHole = heard;
    lift();
    await until(() => heard === 'alate');
    expect(heardInHole).toBe('a');
  });

  it('lets requests through and holds only the answers, when told so', async () => {
    const { socket, said } = await client();
    const lift = proxy.begin({ kind: 'blackHole', of: 'answers' });
    socket.write('a');
    await until(() => heard === 'a');
    const saidInHole = said();
    lift();
    await until(() => said() === 'A');
    expect(saidInHole).toBe('');
  });

  it('delays each chunk and keeps their order', async () => {
    const { socket, said } = await client();
    proxy.begin({ kind: 'delay', ms: 80 });
    const startedMs = clock.monotonicMs();
    socket.write('a');
    await clock.sleep(30);
    socket.write('b');
    await until(() => said() === 'AB');
    expect(clock.monotonicMs() - startedMs).toBeGreaterThanOrEqual(150);
  });

  it('resets a connection in the middle of an answer', async () => {
    const { socket, said, closed } = await client();
    proxy.begin({ kind: 'cutAnswers', every: 2 });
    socket.write('first');
    await until(() => said() === 'FIRST');
    socket.write('second');
    expect(await closed).toBe(true);
    expect(heard).toBe('firstsecond');
    expect('FIRSTSEC'.startsWith(said())).toBe(true);
  });

  it('cuts all connections and every new one until the drop is lifted', async () => {
    const first = await client();
    first.socket.write('a');
    await until(() => first.said() === 'A');
    const lift = proxy.begin({ kind: 'drop' });
    expect(await first.closed).toBe(true);
    const second = await client();
    expect(await second.closed).toBe(true);
    lift();
    const third = await client();
    third.socket.write('b');
    await until(() => third.said() === 'B');
  });
});
