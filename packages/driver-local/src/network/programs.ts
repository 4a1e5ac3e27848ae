import { spawn } from 'node:child_process';

/** Longest that one of the tools may take. */
const timeoutMs = 10_000;
const mostOutputBytes = 4 * 2 ** 20;

/**
 * Runs a program with a text as its standard input, and resolves with what it prints. No shell.
 * @throws Error with its first words of complaint
 */
export function runProgram(
  program: string,
  args: readonly string[],
  input: string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    let output = '';
    let complaint = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (output.length < mostOutputBytes) output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = `${complaint}${text}`.slice(0, 500);
    });
    // One that ends early is judged by its status.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${program}: ${complaint.trim() || `ended with ${code ?? signal}`}`));
    });
  });
}

/** Carries out commands of nftables, all or none. @throws Error */
export const runNft = (script: string): Promise<string> => runProgram('nft', ['-f', '-'], script);

/**
 * Carries out commands of `ip` or `tc`, one a line, until one fails.
 * @param namespace path of the network namespace to do it in @throws Error
 */
export const runBatch = (
  program: 'ip' | 'tc',
  lines: readonly string[],
  namespace?: string,
): Promise<string> => {
  const input = lines.map((line) => `${line}\n`).join('');
  return namespace === undefined
    ? runProgram(program, ['-batch', '-'], input)
    : runProgram('nsenter', [`--net=${namespace}`, program, '-batch', '-'], input);
};
