/**
 * Reads the JSON of fault rules, as POST /_local/faults takes it. One rule has exactly one effect: `error`, `delayMs`,
 * `hang`, `drop` or `entryError`; or it is the one-shot `expireIterators`. All faults of a rule are reported in words.
 * Neighbours: faults.ts (what rules do), control-endpoint.ts.
 */
import { z } from 'zod';
import type { FaultEffect, FaultRule } from './faults.ts';
import { invalidArgument } from './kinesis-error.ts';

export type FaultRequest =
  | { kind: 'rule'; rule: Omit<FaultRule, 'id'> }
  | { kind: 'expire-iterators'; streamName?: string; shardId?: string };

const target = { streamName: z.string().min(1).optional(), shardId: z.string().min(1).optional() };

const ruleSchema = z.strictObject({
  ...target,
  operation: z.string().min(1).default('*'),
  error: z.string().min(1).optional(),
  statusCode: z.int().min(400).max(599).optional(),
  message: z.string().default('injected fault'),
  delayMs: z.number().min(0).optional(),
  hang: z.literal(true).optional(),
  drop: z.literal(true).optional(),
  entryError: z.string().min(1).optional(),
  phase: z.enum(['before', 'after']).default('before'),
  rate: z.number().min(0).max(1).default(1),
  count: z.int().min(1).optional(),
});

const expirySchema = z.strictObject({ ...target, expireIterators: z.literal(true) });

/** One request or a list of them. Throws InvalidArgumentException with the reason. */
export function readFaultRequests(text: string): FaultRequest[] {
  const value = parse(text);
  return (Array.isArray(value) ? value : [value]).map(readOne);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidArgument('the body is not JSON');
  }
}

function readOne(value: unknown): FaultRequest {
  if (typeof value === 'object' && value !== null && 'expireIterators' in value) {
    const { streamName, shardId } = check(expirySchema, value);
    return { kind: 'expire-iterators', ...(streamName && { streamName }), ...(shardId && { shardId }) };
  }
  const rule = check(ruleSchema, value);
  const effects = effectsOf(rule);
  const [effect] = effects;
  if (!effect || effects.length > 1) {
    throw invalidArgument('a rule needs exactly one of error, delayMs, hang, drop, entryError');
  }
  return {
    kind: 'rule',
    rule: {
      operation: rule.operation,
      effect,
      phase: rule.phase,
      rate: rule.rate,
      ...(rule.count !== undefined && { remaining: rule.count }),
      ...(rule.streamName && { streamName: rule.streamName }),
      ...(rule.shardId && { shardId: rule.shardId }),
    },
  };
}

function effectsOf(rule: z.infer<typeof ruleSchema>): FaultEffect[] {
  const { message, statusCode } = rule;
  const effects: (FaultEffect | undefined)[] = [
    rule.error ? { kind: 'error', name: rule.error, message, ...(statusCode && { statusCode }) } : undefined,
    rule.delayMs === undefined ? undefined : { kind: 'delay', delayMs: rule.delayMs },
    rule.hang && { kind: 'hang' },
    rule.drop && { kind: 'drop' },
    rule.entryError ? { kind: 'entries', name: rule.entryError, message } : undefined,
  ];
  return effects.filter((effect) => effect !== undefined);
}

function check<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalidArgument(z.prettifyError(result.error));
}
