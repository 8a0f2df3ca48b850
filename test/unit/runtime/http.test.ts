import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { type HttpPages, serveHttp } from '../../../runtime/http.ts';

const PAGES: HttpPages = {
  metrics: async () => ({ contentType: 'text/plain', body: 'up 1\n' }),
  live: () => ({ ok: true, details: {} }),
  ready: () => ({ ok: false, details: { waitingFor: 'redis' } }),
};

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

describe('the HTTP port', () => {
  it('serves metrics, and health as status and JSON', async () => {
    const http = await serveHttp(0, PAGES, '127.0.0.1');
    try {
      const [metrics, live, ready, other] = await Promise.all(
        ['/metrics', '/livez', '/readyz', '/x'].map((path) => fetch(`http://127.0.0.1:${http.port}${path}`)),
      );
      expect(await metrics!.text()).toBe('up 1\n');
      expect(live!.status).toBe(200);
      expect([ready!.status, await ready!.json()]).toEqual([503, { ok: false, waitingFor: 'redis' }]);
      expect(other!.status).toBe(404);
    } finally {
      await http.close();
    }
  });

  it.runIf(hasIpv6)('answers over IPv4 and IPv6, for a pod may have either', async () => {
    const http = await serveHttp(0, PAGES);
    try {
      const answers = await Promise.all(
        ['127.0.0.1', '[::1]'].map((host) => fetch(`http://${host}:${http.port}/livez`)),
      );
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    } finally {
      await http.close();
    }
  });

  it('answers 500 when a page fails, and goes on', async () => {
    const http = await serveHttp(0, { ...PAGES, metrics: () => Promise.reject(new Error('no')) }, '127.0.0.1');
    try {
      expect((await fetch(`http://127.0.0.1:${http.port}/metrics`)).status).toBe(500);
      expect((await fetch(`http://127.0.0.1:${http.port}/livez`)).status).toBe(200);
    } finally {
      await http.close();
    }
  });

  it('that is busy is refused by its number', async () => {
    const first = await serveHttp(0, PAGES, '127.0.0.1');
    try {
      await expect(serveHttp(first.port, PAGES, '127.0.0.1')).rejects.toThrow(`HTTP_PORT ${first.port} is in use`);
    } finally {
      await first.close();
    }
  });
});
