/**
 * kubectl, helm and deploy/kind/fleet.sh as child processes. They act on the cluster of KUBECONFIG, whichever it is:
 * nothing here knows how that cluster came to be.
 */
import { spawn } from 'node:child_process';

export interface CommandOptions {
  /** What the program reads from its standard input. */
  readonly input?: string;
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/**
 * Gives what the program printed to its standard output.
 * @throws Error with both outputs when it fails or takes longer than `timeoutMs` (default 60 s)
 */
export function run(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...process.env, ...options.env },
      timeout: options.timeoutMs ?? 60_000,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let output = '';
    let complaints = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${program} ${args.join(' ')} ended with ${code ?? signal}:\n${output}${complaints}`));
    });
    // A program that does not read to the end closes the pipe; its exit code says whether that was right.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}

/**
 * Asks again until the answer is defined; a question that fails is asked again too. At most half of the time is spent
 * on asking, because a question costs the cluster something too.
 * @throws Error that names `what`, and why the last try was not enough
 */
export async function until<T>(what: string, timeoutMs: number, ask: () => Promise<T | undefined>): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  let reason = 'not yet so';
  while (performance.now() < deadlineMs) {
    const askedMs = performance.now();
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
      reason = 'not yet so';
    } catch (error) {
      reason = String(error);
    }
    const waitMs = Math.max(250, performance.now() - askedMs);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
  throw new Error(`after ${timeoutMs / 1_000} s still waiting for: ${what} (${reason})`);
}
