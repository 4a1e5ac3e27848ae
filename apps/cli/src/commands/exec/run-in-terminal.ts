import type { PtyCreateOptions, Sandbox } from 'sandport';
import { printNote } from '../../output/print.ts';
import { runTerminal } from '../../terminal/run-terminal.ts';
import { tellEnd } from './tell-end.ts';

/** How long the end of a terminal may take when this process is ended. */
const removeTimeoutMs = 5_000;

/** Runs a command, or the login shell, in a terminal of its own. @returns its exit code */
export async function runInTerminal(
  sandbox: Sandbox,
  options: Omit<PtyCreateOptions, 'rows' | 'cols' | 'signal'>,
  { signal, box }: { readonly signal: AbortSignal; readonly box: string },
): Promise<number> {
  let id = '';
  try {
    const { pty, end } = await runTerminal({
      signal,
      open: async (size, wires) => {
        const started = await sandbox.pty.create({ ...options, ...size, ...wires, signal });
        id = started.id;
        return started;
      },
    });
    if (end === undefined) {
      printNote(`sandport: left; \`sandport attach ${box} ${id}\` comes back to it.`);
      return 0;
    }
    await pty.remove({ signal: AbortSignal.timeout(removeTimeoutMs) }).catch(() => {});
    return tellEnd(end);
  } catch (error) {
    if (signal.aborted && id !== '') await endTerminal(sandbox, id);
    throw error;
  }
}

async function endTerminal(sandbox: Sandbox, id: string): Promise<void> {
  const signal = AbortSignal.timeout(removeTimeoutMs);
  try {
    await (await sandbox.commands.get(id, { signal })).remove({ signal });
  } catch {
    // It ends with its sandbox.
  }
}
