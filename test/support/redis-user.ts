/** The users of docs/redis.md, taken from the page itself: what it says of rights is what is tested. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './source-tree.ts';

/** The arguments of `ACL SETUSER`, for a fleet of this name. */
export function documentedUser(kind: 'server' | 'cluster', fleet: string): string[] {
  const page = readFileSync(join(ROOT, 'docs/redis.md'), 'utf8');
  const lines = [...page.matchAll(/^ACL SETUSER (.*)$/gm)].map(([, rest]) => rest!);
  if (lines.length !== 2) throw new Error(`docs/redis.md has ${lines.length} lines that make a user, not two`);
  return lines[kind === 'server' ? 0 : 1]!.replaceAll('kinesis-fleet', fleet).split(' ');
}
