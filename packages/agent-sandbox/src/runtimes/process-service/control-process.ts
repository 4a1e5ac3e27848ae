import { status } from '@grpc/grpc-js';
import type { ResizeTtyRequest, SendSignalRequest, WriteStdinRequest } from './messages.ts';
import type { ProcessTable } from './process-table.ts';
import { terminalOf } from './start-process.ts';
import { invalid, StatusError } from './status-error.ts';

/** What a terminal takes for the end of the input. */
const endOfInput = Buffer.from([4]);

const refuse = (sentence: string): StatusError =>
  new StatusError(status.FAILED_PRECONDITION, sentence);

/** Resolves when the process has room for more. @throws StatusError */
export async function writeStdin(
  table: ProcessTable,
  sandboxId: string,
  { processId, input, eof }: WriteStdinRequest,
): Promise<void> {
  const { command, hasTerminal } = table.get(sandboxId, processId);
  const { stdin } = command;
  if (stdin === undefined || stdin.writableEnded || stdin.destroyed)
    throw refuse('The input of this process has been closed.');
  if (input === undefined && eof === undefined)
    throw invalid('The request has neither input nor its end.');
  if (input === undefined && !hasTerminal) {
    stdin.end();
    return;
  }
  await new Promise<void>((resolve, reject) => {
    stdin.write(input ?? endOfInput, (error) => {
      if (error) reject(refuse('The process reads no more input.'));
      else resolve();
    });
  });
}

const signals = new Map([
  [2, 'SIGINT'],
  [9, 'SIGKILL'],
  [15, 'SIGTERM'],
] as const);

/** @throws StatusError */
export function sendSignal(
  table: ProcessTable,
  sandboxId: string,
  { processId, signal }: SendSignalRequest,
): void {
  const { command } = table.get(sandboxId, processId);
  const name = [...signals].find(([number]) => number === signal)?.[1];
  if (name === undefined) throw invalid('The signals are SIGINT, SIGKILL and SIGTERM.');
  command.kill(name);
}

/** @throws StatusError */
export function resizeTty(
  table: ProcessTable,
  sandboxId: string,
  { processId, cols, rows }: ResizeTtyRequest,
): void {
  const { command, hasTerminal } = table.get(sandboxId, processId);
  if (!hasTerminal) throw refuse('This process has no terminal.');
  command.resize(terminalOf({ cols, rows }));
}
