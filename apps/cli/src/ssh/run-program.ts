import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * Runs a program of OpenSSH with this process's own standard input and output. Signals of the
 * terminal reach it too; it decides what they mean.
 * @returns its exit code
 * @throws Error that says what to install when there is no such program
 */
export function runProgram(program: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit' });
    const ignore = () => undefined;
    const names = ['SIGINT', 'SIGQUIT'] as const;
    for (const name of names) process.on(name, ignore);
    const settled = () => {
      for (const name of names) process.off(name, ignore);
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      settled();
      if (error.code !== 'ENOENT') return reject(error);
      reject(
        new Error(
          `The program ${program} is not installed; install OpenSSH (Debian: apt-get install openssh-client). \`sandport shell\` and \`sandport exec\` do without it.`,
        ),
      );
    });
    child.once('close', (code, signal) => {
      settled();
      resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]);
    });
  });
}
