import { runProgram } from '@sandport/linux';

/** Longest that one of the tools may take. */
const timeoutMs = 10_000;
/** Ten thousand sandboxes with long rules. */
const mostTableBytes = 64 * 2 ** 20;

/** Runs a program with a text as its standard input. @throws ProgramError */
async function runTool(program: string, args: readonly string[], input: string): Promise<void> {
  await runProgram(program, args, { input, timeoutMs });
}

/** Everything in a table of nftables, as JSON. @throws ProgramError */
export async function listTable(table: string): Promise<string> {
  const { stdout } = await runProgram('nft', ['-j', 'list', 'table', 'inet', table], {
    timeoutMs,
    mostOutputBytes: mostTableBytes,
  });
  return stdout;
}

/** Carries out commands of nftables, all or none. @throws ProgramError */
export const runNft = (script: string): Promise<void> => runTool('nft', ['-f', '-'], script);

/**
 * Carries out commands of `ip` or `tc`, one a line, until one fails.
 * @param namespace path of the network namespace to do it in @throws ProgramError
 */
export const runBatch = (
  program: 'ip' | 'tc',
  lines: readonly string[],
  namespace?: string,
): Promise<void> => {
  const input = lines.map((line) => `${line}\n`).join('');
  return namespace === undefined
    ? runTool(program, ['-batch', '-'], input)
    : runTool('nsenter', [`--net=${namespace}`, program, '-batch', '-'], input);
};
