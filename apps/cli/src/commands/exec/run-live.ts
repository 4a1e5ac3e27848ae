import type { CommandLine, OpenOptions, Sandbox } from 'sandport';
import { writeAll } from '../../output/print.ts';
import { forwardSignals } from './forward-signals.ts';
import { tellEnd } from './tell-end.ts';

/** Runs a command with this process's input, output and signals. @returns its exit code */
export async function runLive(
  sandbox: Sandbox,
  line: CommandLine,
  options: OpenOptions & { stdin: boolean },
): Promise<number> {
  await using command = await sandbox.commands.open(line, options);
  using _ = forwardSignals(command);
  if (options.stdin) feed(command);
  for await (const event of command) {
    if (event.type === 'exit') return tellEnd(event);
    await writeAll(event.type === 'stdout' ? process.stdout : process.stderr, event.bytes);
  }
  throw new Error('The output of a command ends with its exit.');
}

interface Fed {
  sendStdin(input: NodeJS.ReadStream): Promise<void>;
  closeStdin(): Promise<void>;
}

/** What breaks on the way is told by the command's connection. */
export function feed(command: Fed): void {
  void command
    .sendStdin(process.stdin)
    .then(() => command.closeStdin())
    .catch(() => {});
}
