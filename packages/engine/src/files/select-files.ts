import type { OpenFile, SandboxFiles, WalkedEntry } from '@sandport/driver';
import { type GuestPath, type Search, SandportFault } from '@sandport/protocol';
import { compileGlobs } from './glob.ts';
import type { WorkTime } from './work-time.ts';

/** Which files of a tree are meant. Globs are relative to the tree's path. */
export type FileSelection = Pick<Search, 'include' | 'exclude' | 'hidden'>;

export interface SelectedFile {
  /** Absolute path in the sandbox. */
  readonly path: string;
  /** False when the path stands for another name, which is not UTF-8. */
  readonly hasUtf8Path: boolean;
  readonly sizeBytes: number;
  /** Undefined when the file is gone or something else by now. */
  open(): Promise<OpenFile | undefined>;
}

/**
 * The regular file at `path`, or those below the directory at `path`, in tree order. Symlinks below
 * the path are not followed; directories that are left out are not entered. Ends early when the time
 * is up.
 * @throws SandportFault `file_not_found`, `not_a_regular_file`, `invalid_pattern`, …
 */
export async function* selectFiles(
  files: SandboxFiles,
  path: GuestPath,
  selection: FileSelection,
  time: WorkTime,
): AsyncGenerator<SelectedFile> {
  const isMeant = compileSelection(selection);
  const entry = await files.stat(path);
  if (entry.type === 'file') {
    if (isMeant.file(entry.name, entry.name))
      yield { path, hasUtf8Path: true, sizeBytes: entry.size, open: () => files.open(path) };
    return;
  }
  if (entry.type !== 'directory')
    throw new SandportFault('not_a_regular_file', `${path} is not a file or a directory.`, {
      path,
    });
  const enter = ({ relativePath, entry: { name } }: WalkedEntry) =>
    isMeant.directory(relativePath, name);
  for await (const walked of files.walk(path, { enter })) {
    if (time.isUp) return;
    if (walked.entry.type !== 'file') continue;
    if (!isMeant.file(walked.relativePath, walked.entry.name)) continue;
    yield {
      path: walked.entry.path,
      hasUtf8Path: Buffer.from(walked.relativePath).equals(walked.relativeBytes),
      sizeBytes: walked.entry.size,
      open: async () => walked.open(),
    };
  }
}

function compileSelection({ include, exclude = [], hidden = true }: FileSelection) {
  const included = include === undefined ? undefined : compileGlobs(include);
  const excluded = compileGlobs(exclude);
  const isLeftOut = (relativePath: string, name: string) =>
    (!hidden && name.startsWith('.')) || excluded(relativePath);
  return {
    file: (relativePath: string, name: string) =>
      !isLeftOut(relativePath, name) && (included === undefined || included(relativePath)),
    directory: (relativePath: string, name: string) =>
      !isLeftOut(relativePath, name) &&
      (included === undefined || included.mayMatchBelow(relativePath)),
  };
}
