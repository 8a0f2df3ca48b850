/**
 * Faults of a pipeline file, each with its line and its YAML path, collected so that one message tells them all.
 * Paths are lists of keys and indexes, from the root of the document.
 */
import { type Document, isMap, isNode, isScalar, type LineCounter, type Node } from 'yaml';

export type YamlPath = readonly (string | number)[];

interface Fault {
  readonly line: number;
  readonly text: string;
}

export class Faults {
  readonly #file: string;
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #found: Fault[] = [];

  constructor(file: string, document: Document, lines: LineCounter) {
    this.#file = file;
    this.#document = document;
    this.#lines = lines;
  }

  get any(): boolean {
    return this.#found.length > 0;
  }

  /** A fault of the value at `path`; when it is absent, the line is that of what should have it. */
  add(path: YamlPath, text: string): void {
    this.#add(this.#lineOf(path), `${pathText(path)}: ${text}`);
  }

  /** A key that should not be there: the line is the key's own. */
  addKey(path: YamlPath, key: string, text: string): void {
    const map = this.#nodeAt(path);
    const pair = isMap(map) ? map.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
    const line = isNode(pair?.key) ? this.#lineOfNode(pair.key) : this.#lineOf(path);
    this.#add(line, `${pathText([...path, key])}: ${text}`);
  }

  /** A fault at an offset of the file: it is not YAML. */
  addAt(offset: number, text: string): void {
    this.#add(this.#lines.linePos(offset).line, text);
  }

  /** All faults in the order of their lines, one a line. */
  describe(): string {
    const sorted = this.#found.toSorted((a, b) => a.line - b.line);
    return sorted.map((fault) => `${this.#file}:${fault.line} ${fault.text}`).join('\n');
  }

  #add(line: number, text: string): void {
    this.#found.push({ line, text });
  }

  #nodeAt(path: YamlPath): Node | undefined {
    const node: unknown = path.length === 0 ? this.#document.contents : this.#document.getIn(path, true);
    return isNode(node) ? node : undefined;
  }

  #lineOf(path: YamlPath): number {
    const node = this.#nodeAt(path);
    if (node) return this.#lineOfNode(node);
    return path.length === 0 ? 1 : this.#lineOf(path.slice(0, -1));
  }

  #lineOfNode(node: Node): number {
    return this.#lines.linePos(node.range?.[0] ?? 0).line;
  }
}

/** `uniques[1].per` */
function pathText(path: YamlPath): string {
  if (path.length === 0) return 'the file';
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('');
}
