/**
 * The part of DynamoDB's expressions that the fleet table uses, on items in memory: conditions of comparisons with AND,
 * OR and parentheses, and updates with SET, REMOVE, ADD and DELETE. Anything else throws.
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';

export type Item = Readonly<Record<string, AttributeValue>>;

export interface Placeholders {
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, AttributeValue>>;
}

type Operand = string | number | undefined;

export function holds(expression: string, item: Item | undefined, placeholders: Placeholders): boolean {
  const condition = new Condition(expression, item ?? {}, placeholders);
  return condition.evaluate();
}

class Condition {
  readonly #tokens: readonly string[];
  readonly #item: Item;
  readonly #placeholders: Placeholders;
  #at = 0;

  constructor(expression: string, item: Item, placeholders: Placeholders) {
    this.#tokens = expression.match(/[()]|<=|>=|<>|[=<>]|[#:]?\w+/g) ?? [];
    this.#item = item;
    this.#placeholders = placeholders;
  }

  evaluate(): boolean {
    const result = this.#either();
    if (this.#at < this.#tokens.length) throw new Error(`unknown in a condition: ${this.#tokens[this.#at]}`);
    return result;
  }

  #either(): boolean {
    let result = this.#both();
    while (this.#take('OR')) result = this.#both() || result;
    return result;
  }

  #both(): boolean {
    let result = this.#one();
    while (this.#take('AND')) result = this.#one() && result;
    return result;
  }

  #one(): boolean {
    if (this.#take('(')) return this.#closing(this.#either());
    for (const [word, wanted] of [
      ['attribute_exists', true],
      ['attribute_not_exists', false],
    ] as const) {
      if (!this.#take(word)) continue;
      this.#take('(');
      return this.#closing((this.#operand() !== undefined) === wanted);
    }
    const left = this.#operand();
    const comparison = this.#next();
    return isTrue(left, comparison, this.#operand());
  }

  #closing(result: boolean): boolean {
    if (!this.#take(')')) throw new Error('a condition lacks a parenthesis');
    return result;
  }

  #operand(): Operand {
    const token = this.#next();
    const { names, values } = this.#placeholders;
    const value = token.startsWith(':') ? values[token] : this.#item[names[token] ?? ''];
    if (value?.N !== undefined) return Number(value.N);
    return value?.S ?? (value && JSON.stringify(value));
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at++;
    return true;
  }

  #next(): string {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new Error('a condition ends too early');
    return token;
  }
}

function isTrue(left: Operand, comparison: string, right: Operand): boolean {
  if (left === undefined || right === undefined) return comparison === '<>' && left !== right;
  switch (comparison) {
    case '=':
      return left === right;
    case '<>':
      return left !== right;
    case '<=':
      return left <= right;
    default:
      throw new Error(`unknown comparison ${comparison}`);
  }
}

/** The item after the update. */
export function updated(item: Item, expression: string, placeholders: Placeholders): Item {
  const after: Record<string, AttributeValue> = { ...item };
  for (const part of partsOf(expression)) change(after, part, placeholders);
  return after;
}

/** `SET #attribute = :value` and the like, one attribute each. */
interface Part {
  readonly clause: string;
  readonly alias: string;
  readonly value: string;
}

const knownParts = new Map<string, readonly Part[]>();

function partsOf(expression: string): readonly Part[] {
  const known = knownParts.get(expression);
  if (known) return known;
  const [, ...clauses] = expression.split(/\b(SET|REMOVE|ADD|DELETE)\b/);
  const parts: Part[] = [];
  for (let i = 0; i < clauses.length; i += 2) {
    for (const part of clauses[i + 1]!.split(',')) {
      const [, alias = '', value = ''] = /^\s*(#\w+)\s*=?\s*(:\w+)?\s*$/.exec(part) ?? [];
      parts.push({ clause: clauses[i]!, alias, value });
    }
  }
  knownParts.set(expression, parts);
  return parts;
}

function change(item: Record<string, AttributeValue>, part: Part, { names, values }: Placeholders): void {
  const { clause, alias, value } = part;
  const attribute = names[alias];
  const given = values[value];
  if (attribute === undefined || (given === undefined) !== (clause === 'REMOVE')) {
    throw new Error(`unknown in an update: ${clause} ${alias} ${value}`);
  }
  const after = given && changed(item[attribute], clause, given);
  if (!after || after.SS?.length === 0) delete item[attribute];
  else item[attribute] = after;
}

function changed(before: AttributeValue | undefined, clause: string, given: AttributeValue): AttributeValue {
  if (clause === 'SET') return given;
  return clause === 'ADD' ? sumOf(before, given) : without(before, given);
}

function sumOf(before: AttributeValue | undefined, given: AttributeValue): AttributeValue {
  if (given.SS) return { SS: [...new Set([...(before?.SS ?? []), ...given.SS])] };
  return { N: String(Number(before?.N ?? 0) + Number(given.N)) };
}

function without(before: AttributeValue | undefined, given: AttributeValue): AttributeValue {
  return { SS: (before?.SS ?? []).filter((text) => !given.SS?.includes(text)) };
}
