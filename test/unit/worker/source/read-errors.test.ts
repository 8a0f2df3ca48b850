/** The table of failures is total: whatever is thrown, the source knows what to do. */
import { expect, test } from 'vitest';
import { FleetError } from '../../../../runtime/errors.ts';
import { classifyReadError } from '../../../../worker/source/read-errors.ts';
import { kinesisError } from '../../../support/scripted-kinesis.ts';

test.each([
  ['ProvisionedThroughputExceededException', 'throttled'],
  ['LimitExceededException', 'throttled'],
  ['KMSThrottlingException', 'throttled'],
  ['InternalFailureException', 'transient'],
  ['TimeoutError', 'transient'],
  ['ExpiredIteratorException', 'expired'],
  ['ExpiredNextTokenException', 'transient'],
  ['ResourceNotFoundException', 'unknownPlace'],
  ['InvalidArgumentException', 'unknownPlace'],
  ['AccessDeniedException', 'refused'],
  ['KMSAccessDeniedException', 'refused'],
  ['KMSDisabledException', 'refused'],
  ['KMSInvalidStateException', 'refused'],
  ['KMSNotFoundException', 'refused'],
  ['KMSOptInRequired', 'refused'],
  ['ExpiredTokenException', 'refused'],
])('%s is %s', (name, kind) => {
  expect(classifyReadError(kinesisError(name))).toEqual({ name, kind });
});

test('a name that nobody listed is judged by its HTTP status', () => {
  const kindOf = (status: number): string => classifyReadError(kinesisError('NewException', status)).kind;
  expect([429, 418, 503].map(kindOf)).toEqual(['throttled', 'refused', 'transient']);
});

test('errors of sockets, of our own and thrown values of any kind are transient', () => {
  const socket = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  const own = new FleetError('cut short', { code: 'UndecodableAnswer', disposition: 'retry' });
  expect(classifyReadError(socket)).toEqual({ name: 'ECONNRESET', kind: 'transient' });
  expect(classifyReadError(own)).toEqual({ name: 'UndecodableAnswer', kind: 'transient' });
  expect(['text', undefined, null, 7].map((thrown) => classifyReadError(thrown).kind)).toEqual(
    new Array(4).fill('transient'),
  );
});

test('the name of a property that every object has is no entry of the table', () => {
  expect(classifyReadError(kinesisError('constructor', 500)).kind).toBe('transient');
});
