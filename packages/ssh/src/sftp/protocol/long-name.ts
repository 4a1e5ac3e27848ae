import type { FileEntry } from '@sandport/protocol';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const typeLetters: Readonly<Record<string, string>> = { f: '-' };

/** A line as `ls -l` shows it, which is all that some clients show. Times are in UTC. */
export function longName(entry: FileEntry, name: Buffer): Buffer {
  const mode = Number.parseInt(entry.permissions, 8);
  const time = new Date(entry.mtime * 1000);
  const month = months[time.getUTCMonth()] ?? 'Jan';
  const day = String(time.getUTCDate()).padStart(2);
  const year = String(time.getUTCFullYear()).padStart(5);
  const line = [
    (typeLetters[entry.mode] ?? entry.mode) + permissionLetters(mode),
    '   1',
    String(entry.uid).padEnd(8),
    String(entry.gid).padEnd(8),
    String(entry.size).padStart(10),
    `${month} ${day} ${year} `,
  ].join(' ');
  return Buffer.concat([Buffer.from(line), name]);
}

function permissionLetters(mode: number): string {
  const letters = [8, 7, 6, 5, 4, 3, 2, 1, 0].map((bit) =>
    mode & (1 << bit) ? ('xwr'[bit % 3] ?? '-') : '-',
  );
  const special = (index: number, bit: number, letter: string) => {
    if ((mode & bit) !== 0) letters[index] = letters[index] === '-' ? letter.toUpperCase() : letter;
  };
  special(2, 0o4000, 's');
  special(5, 0o2000, 's');
  special(8, 0o1000, 't');
  return letters.join('');
}
