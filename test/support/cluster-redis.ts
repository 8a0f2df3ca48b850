/** The way to the Redis of a fleet on a cluster, from wherever the cluster's API can be reached. */
import { type ChildProcess, spawn } from 'node:child_process';
import { Redis } from 'ioredis';
import { type ClusterFleet, RELEASE } from './cluster-fleet.ts';

export interface RedisAccess {
  readonly redis: Redis;
  readonly forward: ChildProcess;
}

/** Call `redis.disconnect()` and `forward.kill()` in the end. */
export async function reachRedis(fleet: ClusterFleet): Promise<RedisAccess> {
  const name = `${RELEASE}-redis`;
  const flags = ['get', `secret/${name}`, '--output', 'jsonpath={.data.redis-password}'];
  const password = Buffer.from(await fleet.kubectl(flags), 'base64').toString();
  const { forward, port } = await forwardTo(fleet.namespace, `service/${name}`);
  return { redis: new Redis({ host: '127.0.0.1', port, password }), forward };
}

/** `kubectl port-forward` to a free local port: works from wherever the cluster's API can be reached. */
function forwardTo(namespace: string, target: string): Promise<{ forward: ChildProcess; port: number }> {
  const args = ['--namespace', namespace, 'port-forward', target, ':6379'];
  const forward = spawn('kubectl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    let said = '';
    const hear = (text: Buffer): void => {
      said += text.toString();
      const port = Number(/127\.0\.0\.1:(\d+) ->/.exec(said)?.[1]);
      if (port > 0) resolve({ forward, port });
    };
    forward.stdout.on('data', hear);
    forward.stderr.on('data', hear);
    forward.on('error', reject);
    forward.on('close', () => reject(new Error(`port-forward ended: ${said}`)));
  });
}
