import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { ServerWritableStream } from '@grpc/grpc-js';
import type { RuntimeEngine, RuntimeTarget } from '../runtime.ts';
import type { StartRequest, StartResponse } from './messages.ts';
import { processRequestOf } from './process-request.ts';
import type { ProcessTable, RunningProcess } from './process-table.ts';
import { invalid } from './status-error.ts';

export type StartCall = ServerWritableStream<StartRequest, StartResponse>;

const maxTerminalSide = 65_535;

/**
 * Starts a process and sends what it writes as the client takes it, until it has ended. A client
 * that goes away, or whose deadline has come, ends it. @throws StatusError, SandportFault
 */
export async function startProcess(
  engine: RuntimeEngine,
  table: ProcessTable,
  { principal, sandbox }: RuntimeTarget,
  call: StartCall,
): Promise<void> {
  const { config, pty } = call.request;
  const gone = new AbortController();
  call.once('cancelled', () => gone.abort());
  const terminal = pty ? terminalOf(pty) : undefined;
  const request = { ...processRequestOf(config, sandbox), stdin: true, terminal };
  const { signal } = gone;
  const command = await engine.commands.open(principal, sandbox.sandboxId, request, { signal });
  const process: RunningProcess = { command, hasTerminal: terminal !== undefined };
  table.add(sandbox.sandboxId, process);
  command.stdin?.on('error', () => undefined);
  try {
    call.write({ init: { processId: command.pid } });
    const [exit] = await Promise.all([
      command.exit,
      send(call, command.stdout, (stdout) => ({ stdout }), signal),
      send(call, command.stderr, (stderr) => ({ stderr }), signal),
    ]);
    call.write({ exit: { exitCode: exit.exit_code } });
    call.end();
  } catch (error) {
    command.kill('SIGKILL');
    command.stdout.destroy();
    command.stderr.destroy();
    if (!signal.aborted) throw error;
  } finally {
    table.remove(sandbox.sandboxId, process);
  }
}

/** A size of 0, as clients without a terminal say, is that of the first terminals. */
export function terminalOf({ cols, rows }: { cols: number; rows: number }) {
  if (cols > maxTerminalSide || rows > maxTerminalSide)
    throw invalid(`A terminal has at most ${maxTerminalSide} columns and rows.`);
  return { columns: cols === 0 ? 80 : cols, rows: rows === 0 ? 24 : rows };
}

async function send(
  call: StartCall,
  from: Readable,
  message: (bytes: Buffer) => StartResponse,
  signal: AbortSignal,
): Promise<void> {
  for await (const bytes of from) {
    const isFull = !call.write(message(bytes as Buffer));
    if (isFull) await once(call, 'drain', { signal });
  }
}
