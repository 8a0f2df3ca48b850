/**
 * `helm test`, run in the fleet's own image: repeats the checks until all are well, or time is up. Says each check once
 * when it is well, and why not at the end.
 */
import { lookup } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeStreamSummaryCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { readCliSettings } from './cli/config.ts';
import { withFleetLedger } from './cli/fleet-ledger.ts';
import { createFleetStores } from './lease/dynamodb/fleet-stores.ts';
import { isFinished } from './lease/lease.ts';
import { systemClock as clock } from './runtime/clock.ts';

const [timeoutSeconds, ...services] = process.argv.slice(1);
const settings = readCliSettings();
const stores = createFleetStores({ tableName: settings.fleet, clock });
const kinesis = new KinesisClient({ requestHandler: new NodeHttpHandler({ requestTimeout: 5_000 }) });

/** Every pod of the headless service says that it is ready, and of controllers one that it leads. */
async function podsReady(service) {
  const { hostname, port } = new URL(service);
  const addresses = await lookup(hostname, { all: true });
  const leading = [];
  for (const { address, family } of addresses) {
    const host = family === 6 ? `[${address}]` : address;
    const answer = await fetch(`http://${host}:${port}/readyz`, { signal: AbortSignal.timeout(5_000) });
    const page = await answer.json();
    if (!answer.ok) throw new Error(`${address} is not ready: ${JSON.stringify(page)}`);
    if ('leading' in page) leading.push(page.leading);
  }
  if (leading.length > 0 && !leading.includes(true)) throw new Error('none of them leads');
  return `${addresses.length} pod(s)`;
}

async function redisAnswers() {
  const rows = await withFleetLedger(settings, ({ reader }) => reader.rows(0));
  return `${rows.size} shard(s) in the ledger`;
}

async function streamIsThere() {
  const fleet = await stores.fleet.readFleet();
  if (!fleet) throw new Error(`no controller has written the fleet row of ${settings.fleet} yet`);
  const answer = await kinesis.send(new DescribeStreamSummaryCommand({ StreamARN: fleet.streamArn }));
  const { StreamStatus, OpenShardCount } = answer.StreamDescriptionSummary;
  if (!['ACTIVE', 'UPDATING'].includes(StreamStatus)) throw new Error(`the stream is ${StreamStatus}`);
  return `${StreamStatus}, ${OpenShardCount} open shard(s)`;
}

/** A shard whose parents are not read to their end waits for them, and is nobody's until then. */
async function shardsOwned() {
  const leases = await stores.leases.readAll();
  const unfinished = leases.filter((lease) => !isFinished(lease));
  const waiting = new Set(unfinished.map((lease) => lease.shardId));
  const free = unfinished.filter(
    ({ owner, parents }) => owner === undefined && !parents.some((parent) => waiting.has(parent)),
  );
  if (leases.length === 0) throw new Error('there are no leases yet');
  if (free.length > 0) throw new Error(`nobody owns ${free.map((lease) => lease.shardId).join(', ')}`);
  return `${unfinished.length} shard(s)`;
}

const checks = new Map([
  ...services.map((service) => [`every pod of ${new URL(service).hostname} is ready`, () => podsReady(service)]),
  ['Redis answers', redisAnswers],
  ['the stream can be read', streamIsThere],
  ['every shard is owned', shardsOwned],
]);
const deadlineMs = clock.monotonicMs() + Number(timeoutSeconds) * 1_000;
const faults = new Map();
while (checks.size > 0) {
  for (const [what, check] of checks) {
    try {
      console.log(`ok: ${what} (${await check()})`);
      checks.delete(what);
      faults.delete(what);
    } catch (error) {
      faults.set(what, error);
    }
  }
  if (clock.monotonicMs() >= deadlineMs) break;
  if (checks.size > 0) await sleep(500);
}
for (const [what, error] of faults) console.log(`FAILED: ${what}: ${error.message}`);
process.exit(faults.size === 0 ? 0 : 1);
