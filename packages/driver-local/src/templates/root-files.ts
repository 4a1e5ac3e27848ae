import { RootedFs, RootedFsError } from '@sandport/linux';

/** Larger files of this kind are nobody's honest work. */
const maxTextBytes = 1024 * 1024;

/** Text of a small file; undefined when there is none, or none that is a small file. */
export function readText(root: RootedFs, path: string): string | undefined {
  try {
    const file = root.openFile(path);
    try {
      return file.readSmall(maxTextBytes)?.toString('utf8');
    } finally {
      void file.close();
    }
  } catch (error) {
    if (error instanceof RootedFsError) return undefined;
    throw error;
  }
}

/** The same of a root that is not open. */
export function readTextIn(rootPath: string, path: string): string | undefined {
  using root = RootedFs.open(rootPath);
  return readText(root, path);
}

/** Puts a file of root's at the path, in the place of a link or whatever else is there. */
export async function replaceFile(
  root: RootedFs,
  path: string,
  text: string,
  mode = 0o644,
): Promise<void> {
  await removeAny(root, path);
  await writeText(root, path, text, mode);
}

/** Writes a file; one that is there keeps its mode and owner. */
export async function writeText(
  root: RootedFs,
  path: string,
  text: string,
  mode?: number,
): Promise<void> {
  const file = root.createWriter(path, mode === undefined ? {} : { mode });
  try {
    file.writeSmall(Buffer.from(text));
    file.commit();
  } finally {
    await file.abort();
  }
}

/** Makes the path a directory itself, no link to one, whatever is there. */
export async function makeRealDirectory(root: RootedFs, path: string, mode: number): Promise<void> {
  if (typeOf(root, path) !== 'directory') await removeAny(root, path);
  root.makeDirectory(path, { mode });
}

/** Makes the path a real directory without contents. */
export async function makeEmptyDirectory(
  root: RootedFs,
  path: string,
  mode: number,
): Promise<void> {
  await removeAny(root, path);
  root.makeDirectory(path, { mode });
}

/** Removes what is at the path, a link and not its target. Idempotent. */
export async function removeAny(root: RootedFs, path: string): Promise<void> {
  if (typeOf(root, path) !== undefined) await root.remove(path, { recursive: true });
}

/** Of the entry itself; undefined when there is none. */
export function typeOf(root: RootedFs, path: string): string | undefined {
  try {
    return root.stat(path, { followSymlinks: false }).type;
  } catch (error) {
    if (error instanceof RootedFsError) return undefined;
    throw error;
  }
}
