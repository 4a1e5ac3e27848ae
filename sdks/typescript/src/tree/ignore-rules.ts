import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ignore from 'ignore';
import { errnoOf, LocalFileError } from '../errors/client-errors.ts';
import type { IgnoreOptions } from './tree-options.ts';

/** True for an entry that is left out. The path is relative, without a slash at its end. */
export type IsIgnored = (path: string, isDirectory: boolean) => boolean;

const nothing: IsIgnored = () => false;

/**
 * The rules of a local directory: those of its ignore file, then those of the options.
 * @throws LocalFileError when the ignore file is there and cannot be read
 */
export function ignoreRules(localRoot: string, options: IgnoreOptions): IsIgnored {
  const { ignore: patterns = [], ignoreFile = '.sandportignore' } = options;
  const fromFile = ignoreFile === false ? '' : readRules(join(localRoot, ignoreFile));
  if (patterns.length === 0 && fromFile === '') return nothing;
  const rules = ignore()
    .add(fromFile)
    .add([...patterns]);
  return (path, isDirectory) => rules.ignores(isDirectory ? `${path}/` : path);
}

function readRules(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR') return '';
    throw new LocalFileError(`The ignore file ${path} cannot be read.`, path, cause);
  }
}
