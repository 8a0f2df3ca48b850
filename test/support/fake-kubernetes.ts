/**
 * A small Kubernetes API over real HTTP, for tests through the real client: pods with LIST and WATCH, Leases with
 * resourceVersion conflicts, a Deployment with its scale, Events. Tests change objects and see every request; a fault
 * answers, hangs or cuts before the API does.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface KubeObject {
  metadata: {
    name: string;
    uid?: string;
    resourceVersion?: string;
    annotations?: Record<string, string>;
    [key: string]: unknown;
  };
  [key: string]: unknown;
}

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly contentType: string;
  readonly body: KubeObject & Record<string, unknown>;
}

/** A status to answer with, or: never answer; cut the connection. */
export type KubeFault = number | 'hang' | 'cut';

interface Change {
  readonly version: number;
  readonly text: string;
}

export class FakeKubernetes {
  readonly requests: SeenRequest[] = [];
  /** Asked before each request is looked at. */
  onRequest: (request: SeenRequest) => KubeFault | undefined = () => undefined;
  /** Versions up to this one can no longer be watched from. */
  compactedVersion = 0;
  /** Connections that clients have opened so far. */
  connections = 0;
  readonly #server: Server;
  readonly #objects = new Map<string, KubeObject>();
  readonly #changes: Change[] = [];
  readonly #watches = new Set<ServerResponse>();
  #version = 100;

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.on('connection', () => {
      this.connections++;
    });
  }

  static async start(): Promise<FakeKubernetes> {
    const fake = new FakeKubernetes();
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** `pods/name`, `leases/name`, `deployments/name` or `events/name`. */
  get(key: string): KubeObject | undefined {
    return this.#objects.get(key);
  }

  put(key: string, object: KubeObject): KubeObject {
    const isNew = !this.#objects.has(key);
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } };
    this.#objects.set(key, stored);
    if (key.startsWith('pods/')) this.#tell(isNew ? 'ADDED' : 'MODIFIED', stored);
    return stored;
  }

  delete(key: string): void {
    const object = this.#objects.get(key);
    if (!object) return;
    this.#objects.delete(key);
    object.metadata = { ...object.metadata, resourceVersion: String(++this.#version) };
    if (key.startsWith('pods/')) this.#tell('DELETED', object);
  }

  count(kind: string): number {
    return [...this.#objects.keys()].filter((key) => key.startsWith(`${kind}/`)).length;
  }

  watching(): number {
    return this.#watches.size;
  }

  /** Sends a line to every watch: an ERROR, a BOOKMARK, nonsense. */
  sendToWatches(line: string): void {
    for (const watch of this.#watches) watch.write(`${line}\n`);
  }

  /** Ends every watch, as a server does after a while, or cuts them. */
  endWatches(how: 'end' | 'cut'): void {
    for (const watch of [...this.#watches]) {
      this.#watches.delete(watch);
      if (how === 'end') watch.end();
      else watch.destroy();
    }
  }

  #tell(type: string, object: KubeObject): void {
    const text = JSON.stringify({ type, object });
    this.#changes.push({ version: this.#version, text });
    this.sendToWatches(text);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = await seenRequest(request);
    this.requests.push(seen);
    const fault = this.onRequest(seen);
    if (fault === 'cut') request.socket.destroy();
    else if (typeof fault === 'number') answer(response, fault, status(fault, 'a planned fault'));
    else if (fault === undefined) this.#route(seen, response);
  }

  #route(seen: SeenRequest, response: ServerResponse): void {
    const [, kind = '', name, sub] = /\/namespaces\/[^/]+\/(\w+)(?:\/([^/]+))?(?:\/(\w+))?$/.exec(seen.path) ?? [];
    if (name !== undefined) this.#routeObject(`${kind}/${name}`, seen, sub, response);
    else if (seen.method === 'POST') this.#create(`${kind}/${seen.body.metadata.name}`, seen, response);
    else if (seen.query.get('watch') === 'true') this.#watch(seen, response);
    else answer(response, 200, this.#list(kind));
  }

  #create(key: string, seen: SeenRequest, response: ServerResponse): void {
    if (this.#objects.has(key)) answer(response, 409, status(409, 'already exists'));
    else answer(response, 201, this.put(key, seen.body));
  }

  #routeObject(key: string, seen: SeenRequest, sub: string | undefined, response: ServerResponse): void {
    const found = this.#objects.get(key);
    if (!found) answer(response, 404, status(404, `${key} not found`));
    else if (seen.method === 'GET') answer(response, 200, found);
    else if (isAnother(found, seen.body)) answer(response, 422, status(422, 'metadata.uid: field is immutable'));
    else if (isOutdated(found, seen.body)) answer(response, 409, status(409, 'the object has been modified'));
    else if (seen.method === 'PUT') answer(response, 200, this.put(key, seen.body));
    else this.#patch(key, found, seen, sub, response);
  }

  #patch(key: string, found: KubeObject, seen: SeenRequest, sub: string | undefined, response: ServerResponse): void {
    if (seen.contentType !== 'application/merge-patch+json') {
      answer(response, 415, status(415, 'only merge patches'));
      return;
    }
    const merged = merge(found, seen.body) as KubeObject;
    const stored = this.put(key, merged);
    answer(response, 200, sub === 'scale' ? { kind: 'Scale', metadata: stored.metadata, spec: stored.spec } : stored);
  }

  #list(kind: string): object {
    const items = [...this.#objects].flatMap(([key, object]) => (key.startsWith(`${kind}/`) ? [object] : []));
    return { metadata: { resourceVersion: String(this.#version) }, items };
  }

  #watch(seen: SeenRequest, response: ServerResponse): void {
    const from = Number(seen.query.get('resourceVersion'));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (from < this.compactedVersion) {
      response.end(`${JSON.stringify({ type: 'ERROR', object: status(410, 'too old resource version') })}\n`);
      return;
    }
    for (const change of this.#changes) if (change.version > from) response.write(`${change.text}\n`);
    this.#watches.add(response);
    response.on('close', () => this.#watches.delete(response));
  }
}

function isAnother(found: KubeObject, body: KubeObject): boolean {
  const { uid } = body.metadata ?? {};
  return uid !== undefined && found.metadata.uid !== undefined && uid !== found.metadata.uid;
}

function isOutdated(found: KubeObject, body: KubeObject): boolean {
  const { resourceVersion } = body.metadata ?? {};
  return resourceVersion !== undefined && resourceVersion !== found.metadata.resourceVersion;
}

function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...(target as object) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key] ?? {}, value);
  }
  return result;
}

function status(code: number, message: string): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, message };
}

function answer(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function seenRequest(request: IncomingMessage): Promise<SeenRequest> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  const body = (text === '' ? {} : JSON.parse(text)) as SeenRequest['body'];
  const contentType = request.headers['content-type'] ?? '';
  return { method: request.method ?? '', path: url.pathname, query: url.searchParams, contentType, body };
}
