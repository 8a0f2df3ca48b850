/**
 * What a pod of the fleet says of itself: readiness page, metrics, log. The pages are asked inside the pod, so that it
 * does not matter whether it is ready, nor where the tests run.
 */
import type { ClusterFleet, Pod } from './cluster-fleet.ts';

/** The answer of /readyz; the rest of the body depends on the process. */
export interface ReadyPage {
  readonly status: number;
  readonly waitingFor?: string;
  /** The worker's: is its connection to Redis up? */
  readonly redis?: boolean;
  /** The controller's, by name; the worker's, a list with one entry per shard that has one. */
  readonly conditions?: Readonly<Record<string, unknown>> | readonly { readonly condition: string }[];
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly error?: string;
  readonly reason?: string;
  readonly cause?: string;
  readonly condition?: string;
}

const GET = `
const answer = await fetch('http://127.0.0.1:8080' + process.argv[1]);
console.log(JSON.stringify({ status: answer.status, body: await answer.text() }));`;

async function get(fleet: ClusterFleet, pod: Pod, path: string): Promise<{ status: number; body: string }> {
  const node = ['node', '--input-type=module', '--eval', GET, path];
  const said = await fleet.kubectl(['exec', pod.metadata.name, '--', ...node]);
  return JSON.parse(said) as { status: number; body: string };
}

export async function readyPage(fleet: ClusterFleet, pod: Pod): Promise<ReadyPage> {
  const { status, body } = await get(fleet, pod, '/readyz');
  return { ...(JSON.parse(body) as object), status };
}

/** As Prometheus gets it. */
export async function metricsPage(fleet: ClusterFleet, pod: Pod): Promise<string> {
  return (await get(fleet, pod, '/metrics')).body;
}

/** All lines that the pod's process has logged so far; what is not JSON is left out. */
export async function logLines(fleet: ClusterFleet, pod: Pod): Promise<LogLine[]> {
  const text = await fleet.kubectl(['logs', pod.metadata.name]);
  return text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as LogLine] : []));
}
