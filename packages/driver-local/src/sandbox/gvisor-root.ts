import { readFileSync, readSync } from 'node:fs';
import { RootedFsError, type RootedFs } from '@sandport/linux';
import { rootOwner, writeRootFile } from './write-root-file.ts';

const holdTmp = '/tmp/.sandport-start';
const preloadList = '/etc/ld.so.preload';
const preloadLibrary = '/usr/lib/sandport-preload.so';
const preloadText = `${preloadLibrary}\n`;

/**
 * Prepares a root for gVisor, which would mount a file system of its own on an empty /tmp that the
 * API cannot see, and which refuses a flag of statx that `ls` needs.
 * @param library the preloaded library that leaves the flag out
 */
export async function prepareGvisorRoot(root: RootedFs, library: string): Promise<void> {
  root.makeDirectory('/tmp', { owner: rootOwner, mode: 0o1777 });
  await writeRootFile(root, holdTmp, Buffer.alloc(0), 0o600);
  // An image that brings a list of its own keeps it.
  if (exists(root, preloadList)) return;
  await writeRootFile(root, preloadLibrary, readFileSync(library), 0o755);
  await writeRootFile(root, preloadList, Buffer.from(preloadText), 0o644);
}

/** Takes away what only the start needed. */
export async function finishGvisorRoot(root: RootedFs): Promise<void> {
  await root.remove(holdTmp).catch((error: unknown) => {
    if (!(error instanceof RootedFsError && error.kind === 'not_found')) throw error;
  });
}

/** Whether the file at the path is there because {@link prepareGvisorRoot} has put it there. */
export function isOfGvisorStart(root: RootedFs, path: string): boolean {
  if (path !== preloadList) return path === preloadLibrary;
  const file = root.openFile(path);
  try {
    const bytes = Buffer.alloc(preloadText.length + 1);
    return bytes.toString('utf8', 0, readSync(file.fd, bytes, 0, bytes.length, 0)) === preloadText;
  } finally {
    void file.close();
  }
}

function exists(root: RootedFs, path: string): boolean {
  try {
    root.stat(path, { followSymlinks: false });
    return true;
  } catch {
    return false;
  }
}
