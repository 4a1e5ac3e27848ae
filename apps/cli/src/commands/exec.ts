import { addAbortSignal } from 'node:stream';
import type { Command } from 'commander';
import { type CommandLine, type CommandOptions, Sandbox } from 'sandport';
import { addClientFlags, clientFlags, clientOf } from '../client-flags.ts';
import { interruptible } from '../interrupt.ts';
import { printJson, printNote, writeAll } from '../output/print.ts';
import { keyValue, seconds } from '../parse/values.ts';
import type { SetExitCode } from '../program.ts';
import { UsageError } from '../usage-error.ts';

interface ExecFlags {
  cwd?: string;
  env?: Record<string, string>;
  user?: string;
  timeout?: number;
  interactive?: boolean;
}

/** What a request with standard input may carry; larger input goes through a file. */
const maxStdinBytes = 16 * 1024 * 1024;

export function addExec(program: Command, setExitCode: SetExitCode): void {
  const command = program
    .command('exec')
    .description('run a command in a sandbox')
    .argument('<sandbox>', 'name or id')
    .argument('<command...>', 'one argument is a line for the shell, several run without one')
    .passThroughOptions()
    .option('--cwd <dir>', 'working directory')
    .option('--env <key=value>', 'environment; can be repeated', keyValue)
    .option('--user <user>', 'name or number')
    .option('--timeout <time>', 'end the command after this time: 90s, 15m', seconds)
    .option('-i, --interactive', 'give standard input to the command')
    .addHelpText(
      'after',
      `
Options stand before the sandbox. The exit code is that of the command. Ctrl-C ends the command.

Examples:
  sandport exec box "ls -l | wc -l"
  sandport exec --cwd /tmp --env A=1 box -- python3 -c 'import os; print(os.environ["A"])'
  sandport exec -i box "sort" < names.txt`,
    );
  addClientFlags(command).action(
    async (box: string, operands: string[], flags: ExecFlags, self: Command) => {
      const common = clientFlags(self);
      const words = operands[0] === '--' ? operands.slice(1) : operands;
      if (words.length === 0) throw new UsageError('The command is missing behind `--`.');
      const [first = ''] = words;
      const line: CommandLine = words.length === 1 ? first : words;
      const { cwd, env, user, timeout } = flags;
      await interruptible(async (signal) => {
        const stdin = flags.interactive === true ? await readStdin(signal) : undefined;
        const sandbox = await Sandbox.get(box, clientOf(common), { signal });
        const timeoutMs = timeout === undefined ? undefined : timeout * 1000;
        const options: CommandOptions = { cwd, env, user, timeoutMs, stdin, signal };
        setExitCode(
          common.json === true
            ? await runForJson(sandbox, line, options)
            : await runStreaming(sandbox, line, options),
        );
      });
    },
  );
}

async function runForJson(sandbox: Sandbox, line: CommandLine, options: CommandOptions) {
  const result = await sandbox.commands.run(line, options);
  printJson({
    stdout: result.stdout,
    stderr: result.stderr,
    exit_code: result.exitCode,
    signal: result.signal,
    timed_out: result.timedOut,
    oom_killed: result.oomKilled,
    truncated: result.truncated,
    duration_ms: result.durationMs,
    woke: result.woke,
  });
  return result.exitCode;
}

async function runStreaming(sandbox: Sandbox, line: CommandLine, options: CommandOptions) {
  for await (const event of sandbox.commands.stream(line, options)) {
    if (event.type !== 'exit') {
      await writeAll(event.type === 'stdout' ? process.stdout : process.stderr, event.bytes);
      continue;
    }
    if (event.woke === 'disk') {
      printNote('sandport: the sandbox was asleep, and began afresh from its disk.');
    }
    if (event.timedOut) printNote('sandport: the command ran out of time and was ended.');
    else if (event.oomKilled) printNote('sandport: the command ran out of memory and was ended.');
    return event.exitCode;
  }
  throw new Error('The stream of a command ends with its exit.');
}

async function readStdin(signal: AbortSignal): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const stdin: AsyncIterable<Buffer> = addAbortSignal(signal, process.stdin);
  for await (const chunk of stdin) {
    bytes += chunk.length;
    if (bytes > maxStdinBytes) {
      throw new UsageError(
        'Standard input is larger than 16 MiB. Put it into a file first: `sandport cp - BOX:/tmp/input`, then `sandport exec BOX "COMMAND < /tmp/input"`.',
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
