import type { FileType } from 'sandport';

/** Types of entries as options name them: the letters of `find`, and in full. */
export const entryTypes = {
  f: 'file',
  d: 'directory',
  l: 'symlink',
  file: 'file',
  directory: 'directory',
  symlink: 'symlink',
  other: 'other',
} as const satisfies Readonly<Record<string, FileType>>;
