import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { LocalFileError } from 'sandport';
import { positiveInteger, several, sizeInBytes } from '../parse/values.ts';

/** Flags about what of a directory is transferred. */
export interface TreeFlags {
  exclude?: string[];
  ignoreFile?: string;
  /** False: `--no-ignore`. */
  ignore: boolean;
  maxBytes?: number;
  maxEntries?: number;
  unsafeLinks?: boolean;
}

/** What they say, in the words of the SDK. */
export interface TreeOptions {
  /** Patterns of what is left out, in the syntax of .gitignore. */
  readonly ignore: readonly string[];
  /** False: the `.sandportignore` of the local directory is not read. */
  readonly ignoreFile: false | undefined;
  /** Most bytes and entries of a directory that comes out of a sandbox. */
  readonly maxBytes: number | undefined;
  readonly maxEntries: number | undefined;
  /** What becomes of symlinks that lead out of a directory of a sandbox. */
  readonly unsafeLinks: 'skip' | 'keep';
}

export function addTreeFlags(command: Command): Command {
  return command
    .option('--exclude <pattern>', 'leave out, as in .gitignore; can be repeated', several)
    .option('--ignore-file <file>', 'a file with such patterns')
    .option('--no-ignore', 'do not read the .sandportignore of the local directory')
    .option('--max-bytes <size>', 'out of a sandbox: most bytes of a directory (64g)', sizeInBytes)
    .option('--max-entries <count>', 'out of a sandbox: most entries (1000000)', positiveInteger)
    .option('--unsafe-links', 'out of a sandbox: also links that lead out of the directory');
}

/** @throws LocalFileError when the file of patterns cannot be read */
export async function treeOptions(flags: TreeFlags): Promise<TreeOptions> {
  return {
    ignore: [...(await patternsOf(flags.ignoreFile)), ...(flags.exclude ?? [])],
    ignoreFile: flags.ignore ? undefined : false,
    maxBytes: flags.maxBytes,
    maxEntries: flags.maxEntries,
    unsafeLinks: flags.unsafeLinks === true ? 'keep' : 'skip',
  };
}

async function patternsOf(file: string | undefined): Promise<string[]> {
  if (file === undefined) return [];
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new LocalFileError(`${file} cannot be read: ${error.message}.`, file, error);
  });
  return text.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'));
}
