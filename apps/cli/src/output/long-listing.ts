import type { FileInfo } from 'sandport';
import { printable } from './printable.ts';
import { formatBytes } from './units.ts';

export interface LongListingOptions {
  /** Sizes in exact bytes. @default false */
  readonly exactBytes?: boolean | undefined;
  /** What is shown as the name. @default the entry's name */
  readonly name?: string;
}

/** One entry on one line, as `ls -l` shows it; fit for a terminal whatever its name holds. */
export function longListing(entry: FileInfo, options: LongListingOptions = {}): string {
  const { exactBytes = false, name = entry.name } = options;
  const size = exactBytes ? String(entry.size) : formatBytes(entry.size);
  const columns = [
    letters(entry),
    String(entry.uid).padStart(5),
    String(entry.gid).padStart(5),
    size.padStart(exactBytes ? 12 : 8),
    localTime(entry.modifiedAt),
    printable(name),
  ];
  const target = entry.symlinkTarget === undefined ? '' : ` -> ${printable(entry.symlinkTarget)}`;
  return columns.join('  ') + target;
}

/** `drwxr-xr-x`: type and permissions of an entry. */
export function letters({ mode, permissions }: Pick<FileInfo, 'mode' | 'permissions'>): string {
  const bits = Number.parseInt(permissions, 8);
  const triple = (shift: number, special: number, letter: string) => {
    const three = bits >> shift;
    const executes = (three & 1) !== 0;
    const last =
      (bits & special) === 0 ? (executes ? 'x' : '-') : executes ? letter : letter.toUpperCase();
    return `${(three & 4) === 0 ? '-' : 'r'}${(three & 2) === 0 ? '-' : 'w'}${last}`;
  };
  const type = mode === 'f' ? '-' : mode;
  return type + triple(6, 0o4000, 's') + triple(3, 0o2000, 's') + triple(0, 0o1000, 't');
}

/** Local time to the second, as 2026-01-31 12:00:00. */
export function localTime(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
}
