/**
 * Whatever the bytes: the pure stages give every record an identity or a reason, soon, and keep nothing. The long form
 * takes a million records and more: `FUZZ_RECORDS=1000000 npx vitest run test/unit/worker/pipeline/fuzz.test.ts`.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { START } from '../../../../lease/position.ts';
import type { Pipeline } from '../../../../pipelines/pipeline.ts';
import { encodeLogin, JSON_SPELLINGS, PROTOBUF_SPELLINGS } from '../../../../producer/login-encoding.ts';
import { deaggregate } from '../../../../worker/pipeline/deaggregate.ts';
import { createDecoder } from '../../../../worker/pipeline/decode.ts';
import { type IdentifiedBatch, NONE } from '../../../../worker/pipeline/identified-batch.ts';
import { createIdentity } from '../../../../worker/pipeline/identity.ts';
import { reasonWords } from '../../../../worker/pipeline/rejection-reason.ts';
import { decode, HASH_SEED, logins } from '../../../support/decoded-logins.ts';
import { rawBatchOf } from '../../../support/fake-source.ts';
import { hostileRecord } from '../../../support/hostile-records.ts';

const SLOTS = 4;
const RECORDS = Number(process.env.FUZZ_RECORDS ?? 6_000);
const PER_BATCH = 25;
const TIMEOUT_MS = 60_000 + RECORDS;
/** CPU time: a busy machine must not look like a hang. */
const SLOWEST_BATCH_MS = 1_000;
/** Between the first quarter and the end. */
const GROWTH_MIB = 16;
const options = { pipeline: logins, hashSeed: HASH_SEED, slots: SLOTS, bucketBy: 'time' as const };

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heldMib(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return Math.round((heapUsed + external) / 2 ** 20);
}

function cpuMsSince(started: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1_000;
}

/** Counts what became of each record. @throws Error when a record has neither an identity nor a known reason, or both */
function tally(batch: IdentifiedBatch, words: ReadonlySet<string>, outcomes: Map<string, number>): void {
  const { records, rejected, slots, ids } = batch;
  const reasons = new Map(rejected.map(({ index, reason }) => [index, reason]));
  for (let i = 0; i < records.count; i++) {
    const reason = reasons.get(i);
    const hasIdentity = slots[i]! < SLOTS && Number.isSafeInteger(ids[i]);
    const isRejected = slots[i] === NONE && reason !== undefined && words.has(reason);
    if (hasIdentity === isRejected) throw new Error(`record ${i} is nothing, or both: ${reason}`);
    const outcome = reason ?? 'identity';
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
}

describe('the pure stages', () => {
  it(`take any ${RECORDS} records: an identity or a reason for each, no error, no hang, nothing kept`, {
    timeout: TIMEOUT_MS,
  }, async () => {
    const stages = { decode: createDecoder(logins), identify: await createIdentity(options) };
    const words = new Set(reasonWords(logins).slice(1));
    const outcomes = new Map<string, number>();
    const seen = { records: 0, slowestMs: 0, heldMib: [] as number[] };
    const quarter = Math.max(1, Math.floor(RECORDS / PER_BATCH / 4));
    let batches = 0;
    const batch = fc.array(hostileRecord, { minLength: PER_BATCH, maxLength: PER_BATCH });

    fc.assert(
      fc.property(batch, (payloads) => {
        const raw = rawBatchOf(payloads.map((payload, i) => ({ sequenceNumber: String(i + 1), payload })));
        const started = process.cpuUsage();
        for (const records of deaggregate(raw, START)) {
          seen.records += records.count;
          tally(stages.identify(stages.decode(records)), words, outcomes);
        }
        seen.slowestMs = Math.max(seen.slowestMs, cpuMsSince(started));
        if (++batches % quarter === 0) seen.heldMib.push(heldMib());
      }),
      { numRuns: Math.ceil(RECORDS / PER_BATCH), endOnFailure: true },
    );

    const grownMib = heldMib() - seen.heldMib[0]!;
    const figures = { ...seen, grownMib, outcomes: Object.fromEntries(outcomes) };
    console.info(`${batches * PER_BATCH} hostile records: ${JSON.stringify(figures)}`);
    expect(seen.slowestMs).toBeLessThan(SLOWEST_BATCH_MS);
    expect(grownMib).toBeLessThan(GROWTH_MIB);
    expect([...words].filter((word) => !outcomes.has(word))).toEqual([]);
    expect(outcomes.get('identity')).toBeGreaterThan(RECORDS / 20);
  });

  it('give every spelling of the same instant the same identity, and another instant another one', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const identify = await createIdentity(options);
    const login = {
      ...{ index: 0, player: 0, playerId: 'p', country: -1 },
      ...{ deviceId: 'd', deviceType: 't', appVersion: 'v', locale: 'l', ip: 'i' },
    };
    const instant = fc.record({
      seconds: fc.integer({ min: -62135596800 + 86_400, max: 253402300799 - 86_400 }),
      nanos: fc.oneof(fc.nat(999_999_999), fc.constantFrom(0, 1, 100_000_000, 500_000_000, 999_999_999)),
      offsetMinutes: fc.integer({ min: -1439, max: 1439 }),
      digits: fc.nat(9),
    });
    fc.assert(
      fc.property(instant, instant, (one, other) => {
        const records = [
          ...[...PROTOBUF_SPELLINGS, ...JSON_SPELLINGS].map((spelling) => encodeLogin({ ...login, ...one }, spelling)),
          Buffer.from(JSON.stringify({ playerId: 'p', timestamp: spelled(one) })),
          Buffer.from(JSON.stringify({ playerId: 'p', timestamp: spelled(other) })),
        ];

        const { ids, bucketKeys } = identify(decode(records));

        const isSame = one.seconds === other.seconds && one.nanos === other.nanos;
        expect(new Set(ids.subarray(0, -1)).size).toBe(1);
        expect(new Set(bucketKeys.subarray(0, -1)).size).toBe(1);
        expect(ids.at(-1) === ids[0]).toBe(isSame);
      }),
      { numRuns: Math.max(300, RECORDS / 100) },
    );
  });

  it('never let fields run together: other texts, another identity', { timeout: TIMEOUT_MS }, async () => {
    const pipeline: Pipeline = { ...logins, identity: { fields: [0, 2], time: undefined } };
    const identify = await createIdentity({ ...options, pipeline, bucketBy: 'hash' });
    const decodePairs = createDecoder(pipeline);
    const part = fc.oneof(
      fc.string({ minLength: 1, maxLength: 6 }),
      fc.string({ unit: fc.constantFrom('\0', '\x01', '\x02', 'a', 'b'), minLength: 1, maxLength: 6 }),
      fc.constantFrom('a', 'a\0', '\0a', 'aa', '\x01\0\0\0a'),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(part, part), { minLength: 2, maxLength: 20 }), (pairs) => {
        const payloads = pairs.map(([playerId, country]) => Buffer.from(JSON.stringify({ playerId, country })));
        const raw = rawBatchOf(payloads.map((payload, i) => ({ sequenceNumber: String(i + 1), payload })));
        const [records] = deaggregate(raw, START);

        const { ids } = identify(decodePairs(records!));

        const distinct = new Set(pairs.map((pair) => JSON.stringify(pair)));
        expect(new Set(ids).size).toBe(distinct.size);
      }),
      { numRuns: Math.max(300, RECORDS / 100) },
    );
  });
});

/** RFC 3339 in an offset of choice, with as many digits of a second as wanted, or as needed. */
function spelled(instant: { seconds: number; nanos: number; offsetMinutes: number; digits: number }): string {
  const { seconds, nanos, offsetMinutes, digits } = instant;
  const local = new Date((seconds + offsetMinutes * 60) * 1_000).toISOString().slice(0, 19);
  const all = String(nanos).padStart(9, '0');
  const needed = all.replace(/0+$/, '').length;
  const fraction = all.slice(0, Math.max(needed, digits));
  const size = Math.abs(offsetMinutes);
  const offset = `${String(Math.floor(size / 60)).padStart(2, '0')}:${String(size % 60).padStart(2, '0')}`;
  return `${local}${fraction === '' ? '' : `.${fraction}`}${offsetMinutes < 0 ? '-' : '+'}${offset}`;
}
