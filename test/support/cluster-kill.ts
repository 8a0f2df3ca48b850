/**
 * SIGKILL for the main process of a pod on a real cluster. From inside the container process 1 cannot be killed, so a
 * privileged pod on the same node does it, in a namespace of its own that has no Pod Security Standard.
 */
import { run, until } from './cluster-command.ts';
import type { ClusterFleet, Pod } from './cluster-fleet.ts';

/** Every process that carries the pod's name in its environment and runs the worker: there is one. */
const KILL = `
const { readdirSync, readFileSync } = require('node:fs');
const [name] = process.argv.slice(1);
const isVictim = (pid) => {
  try {
    const has = (file, text) => readFileSync('/proc/' + pid + '/' + file, 'latin1').split('\\0').includes(text);
    return has('cmdline', 'worker/main.ts') && has('environ', 'WORKER_NAME=' + name);
  } catch {
    return false; // It ended meanwhile.
  }
};
const victims = readdirSync('/proc').filter((entry) => /^[0-9]+$/.test(entry) && isVictim(entry));
if (victims.length !== 1) throw new Error('found ' + victims.length + ' processes of ' + name);
process.kill(Number(victims[0]), 'SIGKILL');
`;

export class NodeKiller {
  readonly #namespace: string;
  readonly #image: string;
  #kills = 0;

  /** @param image of the target `fleet`: it has Node, which is all that is needed */
  constructor(fleet: ClusterFleet, image: string) {
    this.#namespace = `${fleet.namespace}-killer`;
    this.#image = image;
  }

  /** Kills the worker's main process; kubelet restarts the container in place. Returns when the process is dead. */
  async kill(victim: Pod): Promise<void> {
    await run('kubectl', ['apply', '--filename', '-'], { input: JSON.stringify(namespaceOf(this.#namespace)) });
    this.#kills += 1;
    const name = `kill-${this.#kills}`;
    const pod = killerPod(name, this.#image, victim);
    const inNamespace = ['--namespace', this.#namespace];
    await until('the default service account', 20_000, () =>
      run('kubectl', [...inNamespace, 'create', '--filename', '-'], { input: JSON.stringify(pod) }),
    );
    const phase = await until('the killer to end', 60_000, async () => {
      const text = await run('kubectl', [...inNamespace, 'get', 'pod', name, '--output', 'jsonpath={.status.phase}']);
      return text === 'Succeeded' || text === 'Failed' ? text : undefined;
    });
    if (phase === 'Failed') throw new Error(await run('kubectl', [...inNamespace, 'logs', name]));
  }

  async remove(): Promise<void> {
    const flags = ['--ignore-not-found', '--timeout=120s'];
    await run('kubectl', ['delete', 'namespace', this.#namespace, ...flags], { timeoutMs: 130_000 });
  }
}

function namespaceOf(name: string): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

function killerPod(name: string, image: string, victim: Pod): object {
  const command = ['node', '--eval', KILL, victim.metadata.name];
  const securityContext = { privileged: true, runAsUser: 0 };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      ...{ nodeName: victim.spec.nodeName, hostPID: true, restartPolicy: 'Never' },
      automountServiceAccountToken: false,
      containers: [{ name: 'kill', image, imagePullPolicy: 'IfNotPresent', command, securityContext }],
    },
  };
}
