/** The tables and diagrams of docs/protocol.md say what the code does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as handoff from '../../../controller/handoff/state.ts';
import * as consumer from '../../../worker/shard/state.ts';
import { SITUATIONS, WRITES } from '../../contract/lease/lease-store-suite.ts';
import { FakeLeaseStore } from '../../support/fake-lease-store.ts';
import { ROOT } from '../../support/source-tree.ts';

const text = readFileSync(join(ROOT, 'docs/protocol.md'), 'utf8');

/** `A --> B: Event` of the diagram below a heading; what stands in brackets is only said. */
function edgesBelow(heading: string): string[] {
  const [, diagram = ''] = /```mermaid\n([\s\S]*?)```/.exec(text.slice(text.indexOf(heading))) ?? [];
  return [...diagram.matchAll(/^ *(\w+) --> (\w+): (\w+)/gm)].map(([, from, to, event]) => `${from} ${event} ${to}`);
}

/** Every change of a table of states, those that lead nowhere left out. */
function changesOf<State extends string, Event extends string>(
  states: readonly State[],
  events: readonly Event[],
  next: (state: State, event: Event) => State,
): string[] {
  return states.flatMap((from) =>
    events.flatMap((event) => (next(from, event) === from ? [] : [`${from} ${event} ${next(from, event)}`])),
  );
}

function sorted(texts: readonly string[]): string[] {
  return texts.toSorted((a, b) => (a < b ? -1 : 1));
}

function cellsOf(header: string): string[][] {
  const [table = ''] = text.slice(text.indexOf(header)).split('\n\n');
  const rows = table.split('\n').slice(2);
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** Complete by type: an event that is added must be named here, and so be drawn. */
const CONSUMER_EVENTS = keysOf<consumer.ShardEvent>({
  SlotsOpened: true,
  LedgerFoundUnfit: true,
  RowWentStale: true,
  LeaveAsked: true,
  ShardEndReached: true,
  ShardGone: true,
  RetryDue: true,
  LeaseGivenBack: true,
  RightLost: true,
});
const HANDOFF_EVENTS = keysOf<handoff.HandoffEvent>({
  HandoffSeen: true,
  OldOwnerLetGo: true,
  ShardEnded: true,
  DeadlinePassed: true,
  OldOwnerDied: true,
  ForceWon: true,
  ForceLost: true,
});

function keysOf<K extends string>(all: Readonly<Record<K, true>>): readonly K[] {
  return Object.keys(all) as K[];
}

describe('docs/protocol.md', () => {
  it("draws every change of a shard consumer's state, and none that there is not", () => {
    const changes = changesOf(consumer.SHARD_STATES, CONSUMER_EVENTS, consumer.nextState);
    expect(sorted(edgesBelow("## A shard's life on a worker"))).toEqual(sorted(changes));
  });

  it("draws every change of a handoff's state, and none that there is not", () => {
    const changes = changesOf(handoff.HANDOFF_STATES, HANDOFF_EVENTS, handoff.nextState);
    expect(sorted(edgesBelow('## A handoff'))).toEqual(sorted(changes));
  });

  it('lists every write of a lease row, with the situations in which the contract suite lets it win', () => {
    const listed = cellsOf('| write | by | refused unless |').map(([write = '', , , wins = '']) => [write, wins]);
    const plain = WRITES.filter(({ wins }) => wins.length > 0).map(({ name, wins }) => [
      name,
      SITUATIONS.filter((situation) => wins.includes(situation)).join(', '),
    ]);
    expect(new Map(listed as [string, string][])).toEqual(
      new Map([['create', 'missing'], ...(plain as [string, string][])]),
    );
  });

  it('lists every method of the lease store that writes', () => {
    const methods = Object.getOwnPropertyNames(FakeLeaseStore.prototype);
    const beside = new Set(['constructor', 'read', 'readAll', 'put', 'deleteByHand', 'peek']);
    const names = cellsOf('| write | by | refused unless |').map(([write = '']) => write);
    const asMethods = names.map((name) =>
      name === 'adding children' ? 'addChildren' : name.replace(/ (\w)/, (_, letter: string) => letter.toUpperCase()),
    );
    expect(sorted(asMethods)).toEqual(sorted(methods.filter((method) => !beside.has(method))));
  });
});
