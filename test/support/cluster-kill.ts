/**
 * SIGKILL for the main process of a pod on a real cluster, or SIGSTOP and SIGCONT. From inside the container process 1
 * takes none of them, so a privileged pod on the same node sends it, one per node and as long as there is something to kill, in a namespace of
 * their own that has no Pod Security Standard.
 */
import { run, until } from './cluster-command.ts';
import type { ClusterFleet, Pod } from './cluster-fleet.ts';

/** Every process that carries the pod's name in its environment and runs this file: there is one. Prints when it was sent. */
const SEND = `
const { readdirSync, readFileSync } = require('node:fs');
const [signal, file, variable] = process.argv.slice(1);
const isVictim = (pid) => {
  try {
    const has = (file, text) => readFileSync('/proc/' + pid + '/' + file, 'latin1').split('\\0').includes(text);
    return has('cmdline', file) && has('environ', variable);
  } catch {
    return false; // It ended meanwhile.
  }
};
const victims = readdirSync('/proc').filter((entry) => /^[0-9]+$/.test(entry) && isVictim(entry));
if (victims.length !== 1) throw new Error('found ' + victims.length + ' processes with ' + variable);
process.kill(Number(victims[0]), signal);
console.log(Date.now());
`;

export class NodeKiller {
  readonly #namespace: string;
  readonly #image: string;
  /** Killers that are ready, by node. */
  readonly #ready = new Map<string, Promise<string>>();

  /** @param image of the target `fleet`: it has Node, which is all that is needed */
  constructor(fleet: ClusterFleet, image: string) {
    this.#namespace = `${fleet.namespace}-killer`;
    this.#image = image;
  }

  /**
   * Kills the worker's main process; kubelet restarts the container in place. Returns when the process is dead, with
   * the moment in milliseconds since 1970 by its node's clock.
   */
  kill(victim: Pod): Promise<number> {
    return this.#send('SIGKILL', victim, 'worker/main.ts', `WORKER_NAME=${victim.metadata.name}`);
  }

  /** Stops the process of the pod that runs `file`, or lets it go on: it hangs, with its port open. */
  async pause(pod: Pod, file: string, isPaused: boolean): Promise<void> {
    await this.#send(isPaused ? 'SIGSTOP' : 'SIGCONT', pod, file, `HOSTNAME=${pod.metadata.name}`);
  }

  async #send(signal: string, { spec: { nodeName } }: Pod, file: string, variable: string): Promise<number> {
    const killer = this.#ready.get(nodeName) ?? this.#startOn(nodeName);
    this.#ready.set(nodeName, killer);
    return Number(await this.#kubectl('exec', await killer, '--', 'node', '--eval', SEND, signal, file, variable));
  }

  async remove(): Promise<void> {
    if (this.#ready.size === 0) return;
    await this.#kubectl('delete', 'pods', '--all', '--force', '--grace-period=0');
    const flags = ['--ignore-not-found', '--timeout=120s'];
    await run('kubectl', ['delete', 'namespace', this.#namespace, ...flags], { timeoutMs: 130_000 });
  }

  /** Gives the killer's name. */
  async #startOn(nodeName: string): Promise<string> {
    const name = `kill-${this.#ready.size + 1}`;
    await run('kubectl', ['apply', '--filename', '-'], { input: JSON.stringify(namespaceOf(this.#namespace)) });
    const input = JSON.stringify(killerPod(name, this.#image, nodeName));
    await until('the default service account', 20_000, () =>
      run('kubectl', ['--namespace', this.#namespace, 'create', '--filename', '-'], { input }),
    );
    await this.#kubectl('wait', '--for=condition=Ready', `pod/${name}`, '--timeout=50s');
    return name;
  }

  #kubectl(...args: readonly string[]): Promise<string> {
    return run('kubectl', ['--namespace', this.#namespace, ...args]);
  }
}

function namespaceOf(name: string): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

function killerPod(name: string, image: string, nodeName: string): object {
  const command = ['node', '--eval', 'setInterval(() => undefined, 1e6)'];
  const securityContext = { privileged: true, runAsUser: 0 };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      ...{ nodeName, hostPID: true, restartPolicy: 'Never', terminationGracePeriodSeconds: 0 },
      automountServiceAccountToken: false,
      containers: [{ name: 'kill', image, imagePullPolicy: 'IfNotPresent', command, securityContext }],
    },
  };
}
