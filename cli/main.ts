#!/usr/bin/env node
/**
 * `kinesis-fleet`: one file per command. Without arguments it explains itself. A refusal is printed as it is, without
 * a stack, and the exit code is 1.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { FleetError } from '../runtime/errors.ts';
import { addCounts } from './counts.ts';
import { addDeadLetters } from './dead-letters.ts';
import { addDemo } from './demo.ts';
import { addLedger } from './ledger.ts';
import { addProduce } from './produce.ts';
import { addStatus } from './status.ts';

const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as { version: string };

const program = new Command('kinesis-fleet')
  .description('A Kubernetes-native fleet that consumes Kinesis streams: exact counts, fast failover.')
  .version(manifest.version)
  .showHelpAfterError()
  .addHelpText(
    'after',
    `
First steps:
  kinesis-fleet demo                 the whole fleet on this machine: live, with faults, judged at the end
  kinesis-fleet demo --calm --keep   no faults, and it stays up: try the other commands on it

The other commands find a fleet by its settings: FLEET, REDIS_URL, PIPELINE and the AWS SDK's own variables
(AWS_REGION, AWS_ENDPOINT_URL_KINESIS, AWS_ENDPOINT_URL_DYNAMODB, ...). All settings are in README.md.`,
  );

addDemo(program);
addProduce(program);
addCounts(program);
addStatus(program);
addLedger(program);
addDeadLetters(program);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof FleetError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
