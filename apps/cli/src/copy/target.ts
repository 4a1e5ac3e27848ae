import { UsageError } from '../usage-error.ts';

/** What is at the target of a copy. */
export type TargetKind = 'directory' | 'file' | 'missing';

/** One source of a copy. */
export interface CopySource {
  /** As the user wrote it. */
  readonly text: string;
  /** Path without the sandbox. */
  readonly path: string;
  readonly isDirectory: boolean;
}

export interface CopyTarget {
  readonly text: string;
  readonly path: string;
  readonly kind: TargetKind;
}

/**
 * Where a source goes, as `cp -r` decides it: into a target that is a directory or ends with a
 * slash, under its own name; else the target is its new name. A source directory that ends with
 * `/.`, or has no name of its own, gives what is in it instead.
 */
export function targetPathOf(source: CopySource, target: CopyTarget, isOnly: boolean): string {
  const intoDirectory = target.kind === 'directory' || target.path.endsWith('/');
  if (target.kind === 'file') {
    if (intoDirectory || !isOnly) throw notADirectory(target);
    if (source.isDirectory) {
      throw new UsageError(`${source.text} is a directory, and ${target.text} is a file.`);
    }
    return target.path;
  }
  const name = nameOf(source.path);
  if (source.isDirectory && name === undefined) return target.path;
  if (!intoDirectory) {
    if (isOnly) return target.path;
    throw new UsageError(
      `${target.text} does not exist. Several sources need a directory: write ${target.text}/ to make it.`,
    );
  }
  if (name === undefined) throw new UsageError(`${source.text} is not a directory.`);
  return `${target.path.replace(/\/+$/, '')}/${name}`;
}

/** The last part of a path; undefined for `/`, and for what ends with `.` or `..`. */
export function nameOf(path: string): string | undefined {
  const name = /([^/]*)\/*$/.exec(path)?.[1] ?? '';
  return name === '' || name === '.' || name === '..' ? undefined : name;
}

const notADirectory = ({ text }: CopyTarget) => new UsageError(`${text} is not a directory.`);
