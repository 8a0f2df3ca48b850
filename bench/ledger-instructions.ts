/**
 * Instructions that Redis executes per record of a commit, batches of 1,000, counted by valgrind's callgrind, over the
 * same grid as ledger-grid: neighbours on the machine do not change them, so two versions of the commit script can be
 * told apart by a hundredth. What they do not tell is time: a record that Redis finds in no cache takes as many.
 * Needs `valgrind` (Debian: `apt-get install valgrind`). IDENTITIES as in ledger-grid.
 * Run: `npm run bench -- ledger-instructions`.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isOnPath } from '../local/redis/start.ts';
import { printGrid } from './commit-grid.ts';
import { FilledLedger } from './filled-ledger.ts';
import { commitAll, LedgerServer } from './ledger-server.ts';

const RECORDS = 20_000;
const EXPECTED = Number(process.env.IDENTITIES ?? 1_000_000);
const DUMP_TIMEOUT_MS = 10_000;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Counts while work goes on in the server, which runs under callgrind and writes what it counted into the folder. */
class Callgrind {
  readonly #pid: string;
  readonly #folder: string;
  #dumps = 0;

  constructor(pid: string, folder: string) {
    this.#pid = pid;
    this.#folder = folder;
  }

  async count(work: () => Promise<void>): Promise<number> {
    this.#control('--zero');
    this.#control('--instr=on');
    await work();
    this.#control('--instr=off');
    this.#control('--dump');
    return this.#counted();
  }

  #control(...args: string[]): void {
    execFileSync('callgrind_control', [...args, this.#pid], { stdio: 'pipe' });
  }

  /** A dump is asked for, and written a moment later; its last line has the total. */
  async #counted(): Promise<number> {
    this.#dumps += 1;
    const file = join(this.#folder, `counted.${this.#dumps}`);
    for (let waitedMs = 0; waitedMs < DUMP_TIMEOUT_MS; waitedMs += 50) {
      const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
      const total = /^totals: (\d+)/m.exec(text)?.[1];
      if (total !== undefined) return Number(total);
      await sleep(50);
    }
    throw new Error(`callgrind wrote no ${file} within ${DUMP_TIMEOUT_MS / 1_000} s`);
  }
}

if (!isOnPath('valgrind') || !isOnPath('redis-server')) {
  say('not counted: valgrind or redis-server is not on PATH (Debian: apt-get install valgrind redis-server)');
  process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), 'callgrind-'));
const server = await LedgerServer.start([
  ...['valgrind', '--quiet', '--tool=callgrind', '--instr-atstart=no'],
  ...[`--callgrind-out-file=${join(folder, 'counted')}`, 'redis-server'],
]);
try {
  const info = await server.info();
  const callgrind = new Callgrind(info.get('process_id') ?? '', folder);
  say(`Redis ${info.get('redis_version')}, ${EXPECTED.toLocaleString('en-US')} identities; instructions per record`);
  const filled = new FilledLedger(server, EXPECTED, say);
  await printGrid(say, ['ledger', 'with two uniques'], async (times, duplicateShare) => {
    const figures: string[] = [];
    for (const withUniques of [false, true]) {
      const commits = await filled.commits({ records: RECORDS, times, duplicateShare, withUniques });
      const counted = await callgrind.count(() => commitAll(filled.ledger, commits));
      figures.push(Math.round(counted / RECORDS).toLocaleString('en-US'));
    }
    return figures;
  });
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
