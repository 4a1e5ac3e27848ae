import { text } from 'node:stream/consumers';
import { type Command, Option } from 'commander';
import type { CodeExecution, CodeLanguage, CodeResult } from 'sandport';
import { addClientFlags } from '../client-flags.ts';
import { printJson } from '../output/print.ts';
import { seconds } from '../parse/values.ts';
import type { SetExitCode } from '../program.ts';
import { withExitCode } from './exec/own-errors.ts';
import { withSandbox } from './sandbox-action.ts';

interface RunCodeFlags {
  readonly language: CodeLanguage;
  readonly timeout?: number;
}

export function addRunCode(program: Command, setExitCode: SetExitCode): void {
  addClientFlags(
    program
      .command('run-code')
      .description('run code whose variables live on to the next run in the same sandbox')
      .argument('<sandbox>', 'name or id')
      .argument('[code]', 'the code; - or nothing reads it from standard input')
      .addOption(
        new Option('-l, --language <language>', 'what the code is written in')
          .choices(['python', 'javascript', 'shell'])
          .default('python'),
      )
      .option('-t, --timeout <time>', 'interrupt the code after this time (default: 30s)', seconds)
      .addHelpText(
        'after',
        `
Ends with 0, with 1 after an error, and for shell with the exit status of the last command.

Examples:
  sandport run-code box 'x = 20'
  sandport run-code box 'x + 1'
  sandport run-code box --language javascript 'await Promise.all([1, 2])'
  sandport run-code box --json < analysis.py | jq -r '.results[0].png' | base64 -d > plot.png`,
      ),
  ).action((box: string, code: string | undefined, flags: RunCodeFlags, self: Command) =>
    withExitCode(setExitCode, () =>
      withSandbox(self, box, async (sandbox, { json, signal }) => {
        const source = code === undefined || code === '-' ? await text(process.stdin) : code;
        const run = await sandbox.runCode(source, flags.language, {
          signal,
          timeoutMs: flags.timeout === undefined ? undefined : Math.ceil(flags.timeout * 1000),
          ...(json ? {} : callbacks),
        });
        if (json) printJson(run);
        else printEnd(run);
        return run.exitCode;
      }),
    ),
  );
}

const callbacks = {
  onStdout: (part: string) => void process.stdout.write(part),
  onStderr: (part: string) => void process.stderr.write(part),
  onResult: (result: CodeResult) => void process.stdout.write(`${shown(result)}\n`),
};

/** Its text, or which forms it has. */
const shown = ({ text: plain, data }: CodeResult): string =>
  plain ?? `(${Object.keys(data).join(', ')})`;

function printEnd({ error, timedOut, restarted, truncated }: CodeExecution): void {
  const note = (line: string) => void process.stderr.write(`${line}\n`);
  if (error !== undefined)
    note(
      error.traceback.length === 0 ? `${error.name}: ${error.value}` : error.traceback.join('\n'),
    );
  if (timedOut) note('sandport: the code ran out of time');
  if (restarted) note('sandport: the variables of earlier runs were lost before this one');
  if (truncated) note('sandport: output or results beyond 10 MiB were left out');
}
