/**
 * Outages of what a fleet on a real cluster needs, made and ended from outside: Redis refuses connections, or the
 * password; DynamoDB hangs; Kinesis refuses to be read. What they hold is still there afterwards.
 */
import { until } from './cluster-command.ts';
import { type ClusterFleet, type Pod, RELEASE } from './cluster-fleet.ts';
import { NodeKiller } from './cluster-kill.ts';

const REDIS = `${RELEASE}-redis`;
const READS = ['DescribeStreamSummary', 'ListShards', 'GetShardIterator', 'GetRecords'];
const WRONG_PASSWORD = 'another-one';

/** Calls the local Kinesis' own path for faults. */
const FAULTS = `
const [method, body] = process.argv.slice(1);
const answer = await fetch('http://127.0.0.1:4567/_local/faults', { method, ...(body && { body }) });
if (!answer.ok) throw new Error(await answer.text());`;

export class Outage {
  readonly #fleet: ClusterFleet;
  readonly #killer: NodeKiller;

  constructor(fleet: ClusterFleet) {
    this.#fleet = fleet;
    this.#killer = new NodeKiller(fleet, process.env.IMAGE ?? '');
  }

  /** The Service has no endpoints, so that no new connection is made; the old ones are cut. */
  async cutRedis(): Promise<void> {
    await this.#select('nobody');
    await until('a Service without endpoints', 20_000, async () => {
      const found = ['get', 'endpointslices', '--selector', `kubernetes.io/service-name=${REDIS}`, '--output', 'json'];
      return /"addresses"/.test(await this.#fleet.kubectl(found)) ? undefined : true;
    });
    await this.#redis('CLIENT', 'KILL', 'TYPE', 'normal');
    await this.#redis('CLIENT', 'KILL', 'TYPE', 'pubsub');
  }

  async restoreRedis(): Promise<void> {
    await this.#select('redis');
  }

  /** For everybody but those who know the other password; who is connected is cut off. */
  async changePassword(): Promise<void> {
    // The pod's own probe has the old password too: it must not take the pod out of the Service.
    const spec = JSON.stringify({ spec: { publishNotReadyAddresses: true } });
    await this.#fleet.kubectl(['patch', 'service', REDIS, '--type=merge', '--patch', spec]);
    await this.#redis('CONFIG', 'SET', 'requirepass', WRONG_PASSWORD);
    const quoted = `redis-cli -a ${WRONG_PASSWORD} --no-auth-warning CLIENT KILL TYPE`;
    await this.#inRedis(`${quoted} normal; ${quoted} pubsub`);
  }

  async restorePassword(): Promise<void> {
    const right = '"$(cat /etc/redis-auth/redis-password)"';
    await this.#inRedis(`redis-cli -a ${WRONG_PASSWORD} --no-auth-warning CONFIG SET requirepass ${right}`);
  }

  /** Takes connections and never answers. */
  async hangDynamoDb(isHanging: boolean): Promise<void> {
    await this.#killer.pause(await this.#localAws(), 'local/dynamodb/main.ts', isHanging);
  }

  /** Answers every read as AWS does when it does not know the credentials; the producer can still write. */
  async refuseReads(): Promise<void> {
    const [error, message] = ['UnrecognizedClientException', 'The security token included in the request is invalid.'];
    const rules = READS.map((operation) => ({ operation, error, message, statusCode: 400 }));
    await this.#faults('POST', JSON.stringify(rules));
  }

  async allowReads(): Promise<void> {
    await this.#faults('DELETE');
  }

  async remove(): Promise<void> {
    await this.#killer.remove();
  }

  async #select(component: string): Promise<void> {
    const spec = JSON.stringify({ spec: { selector: { 'app.kubernetes.io/component': component } } });
    await this.#fleet.kubectl(['patch', 'service', REDIS, '--type=merge', '--patch', spec]);
  }

  #redis(...words: readonly string[]): Promise<string> {
    return this.#inRedis(`REDISCLI_AUTH="$(cat /etc/redis-auth/redis-password)" redis-cli ${words.join(' ')}`);
  }

  #inRedis(script: string): Promise<string> {
    return this.#fleet.kubectl(['exec', `${REDIS}-0`, '--', 'sh', '-c', script]);
  }

  async #faults(...args: readonly string[]): Promise<void> {
    const node = ['node', '--input-type=module', '--eval', FAULTS, ...args];
    await this.#fleet.kubectl(['exec', 'deployment/local-aws', '--container', 'kinesis', '--', ...node]);
  }

  async #localAws(): Promise<Pod> {
    const list = await this.#fleet.kubectl(['get', 'pods', '--selector', 'app=local-aws', '--output', 'json']);
    const [pod] = (JSON.parse(list) as { items: Pod[] }).items;
    if (!pod) throw new Error('no pod of local-aws');
    return pod;
  }
}
