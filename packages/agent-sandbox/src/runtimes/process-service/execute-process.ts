import { status, type ServerUnaryCall } from '@grpc/grpc-js';
import type { RuntimeEngine, RuntimeTarget } from '../runtime.ts';
import type { ExecuteRequest, ExecuteResponse } from './messages.ts';
import { processRequestOf } from './process-request.ts';
import { StatusError } from './status-error.ts';

export type ExecuteCall = ServerUnaryCall<ExecuteRequest, ExecuteResponse>;

/** Clients take messages of up to 4 MiB; something is left for what is around the bytes. */
const maxOutputBytes = 4 * 1024 * 1024 - 1024;

/**
 * Runs a process to its end. A client that goes away, or whose deadline has come, ends it.
 * @throws StatusError, SandportFault
 */
export async function executeProcess(
  engine: RuntimeEngine,
  { principal, sandbox }: RuntimeTarget,
  call: ExecuteCall,
): Promise<ExecuteResponse> {
  const { args, env, cwd } = processRequestOf(call.request.config, sandbox);
  const gone = new AbortController();
  call.once('cancelled', () => gone.abort());
  const kept: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  let bytes = 0;
  const { exit_code: exitCode } = await engine.commands.stream(
    principal,
    sandbox.sandboxId,
    { args: [...args], env, cwd },
    (output) => {
      bytes += output.bytes.length;
      if (bytes <= maxOutputBytes) kept[output.stream].push(output.bytes);
      else gone.abort();
    },
    { signal: gone.signal },
  );
  if (bytes > maxOutputBytes)
    throw new StatusError(
      status.RESOURCE_EXHAUSTED,
      `The command wrote more than ${maxOutputBytes} bytes and was ended; use Start, or let it write into a file.`,
    );
  return { exitCode, stdout: Buffer.concat(kept.stdout), stderr: Buffer.concat(kept.stderr) };
}
