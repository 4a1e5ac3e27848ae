import { readFile } from 'node:fs/promises';

/** One line of /proc/self/mountinfo (proc_pid_mountinfo(5)), escapes decoded. */
export interface MountEntry {
  readonly id: number;
  readonly parentId: number;
  /** As 254:0. */
  readonly device: string;
  /** What part of the file system is mounted. */
  readonly root: string;
  readonly mountPoint: string;
  readonly options: readonly string[];
  readonly type: string;
  readonly source: string;
  readonly superOptions: readonly string[];
}

/** Mounts of this process's mount namespace, in the order they were made. */
export async function listMounts(): Promise<MountEntry[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8');
  return parseMountInfo(text);
}

export function parseMountInfo(text: string): MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of text.split('\n')) {
    const fields = line.split(' ');
    const separator = fields.indexOf('-', 6);
    if (separator < 0) continue;
    const field = (index: number): string => unescapeOctal(fields[index] ?? '');
    entries.push({
      id: Number(field(0)),
      parentId: Number(field(1)),
      device: field(2),
      root: field(3),
      mountPoint: field(4),
      options: field(5).split(','),
      type: field(separator + 1),
      source: field(separator + 2),
      superOptions: field(separator + 3).split(','),
    });
  }
  return entries;
}

/** The kernel writes space, tab, newline and backslash as three octal digits. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
