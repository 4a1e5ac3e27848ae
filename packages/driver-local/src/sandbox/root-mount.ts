import { chownSync, closeSync, existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  attachTree,
  createIdMappedTree,
  detachMount,
  mountOverlay,
  RootedFs,
} from '@sandport/linux';
import type { SandboxLayout } from '../layout.ts';
import { idRangeSize } from './id-ranges.ts';
import { unmountAside } from './unmount-aside.ts';

export interface RootMountOptions {
  readonly layout: SandboxLayout;
  readonly templateRoot: string;
  /** First host id of the sandbox's range. */
  readonly idBase: number;
  /** User namespace that maps the sandbox's ids; `container` only. */
  readonly namespaceFd?: number | undefined;
  /** True: owners on the disk are ids of the guest. */
  readonly guestIds: boolean;
}

/** Makes the directories of the sandbox's disk. Owners on it are ids of the guest. */
export function makeDiskDirectories(layout: SandboxLayout): void {
  mkdirSync(layout.upper, { recursive: true, mode: 0o755 });
  mkdirSync(layout.work, { recursive: true, mode: 0o700 });
}

/**
 * Makes the directory in front of the root. Nobody on the machine comes past it but root and the
 * sandbox's own root: files of guests are nothing for other users of the host.
 */
export function makeGate(layout: SandboxLayout, idBase: number): void {
  mkdirSync(layout.gate, { mode: 0o710 });
  chownSync(layout.gate, 0, idBase);
  mkdirSync(layout.root, { mode: 0o755 });
}

/** Mounts the template below the sandbox's own layer, with the sandbox's ids. */
export async function mountRoot(options: RootMountOptions): Promise<void> {
  const { layout, templateRoot, namespaceFd, idBase, guestIds } = options;
  const { upper, work, root: target, lower, mappedDisk } = layout;
  if (namespaceFd === undefined) {
    mountOverlay({ lower: [templateRoot], upper, work, target });
    return;
  }
  // Overlay takes its layers by path: what is mapped has one for a moment.
  await using mappedLower = attachMapped(lower, {
    source: templateRoot,
    namespaceFd,
    readOnly: true,
  });
  const layers = [mappedLower.path];
  if (!guestIds) return mountOverlay({ lower: layers, upper, work, target });
  await using disk = attachMapped(mappedDisk, {
    source: layout.disk,
    namespaceFd,
    readOnly: false,
  });
  mountOverlay({
    lower: layers,
    upper: join(disk.path, relative(layout.disk, upper)),
    work: join(disk.path, relative(layout.disk, work)),
    target,
    ownerId: idBase,
  });
}

interface MappedTree {
  readonly source: string;
  readonly namespaceFd: number;
  readonly readOnly: boolean;
}

interface AttachedTree extends AsyncDisposable {
  readonly path: string;
}

/** Mounts a mapped tree at a path that is not there; disposal takes both away. */
function attachMapped(path: string, mapped: MappedTree): AttachedTree {
  const { source, namespaceFd: userNamespaceFd, readOnly } = mapped;
  mkdirSync(path, { mode: 0o700 });
  try {
    const tree = createIdMappedTree({ source, userNamespaceFd, readOnly });
    try {
      attachTree(tree, { path });
    } finally {
      closeSync(tree);
    }
  } catch (error) {
    rmdirSync(path);
    throw error;
  }
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await detachMount(path);
      rmdirSync(path);
    },
  };
}

/** Opens the mounted root for the daemon's own file access. */
export const openRoot = (layout: SandboxLayout, idBase: number): RootedFs =>
  RootedFs.open(layout.root, { idBase, idCount: idRangeSize, notesDirectory: layout.copies });

/** Takes away the root, the volumes in it and their mount points. Idempotent. */
export async function unmountRoot(layout: SandboxLayout): Promise<void> {
  const { lower, mappedDisk, root, gate } = layout;
  for (const path of [lower, mappedDisk]) if (existsSync(path)) await detachMount(path);
  if (existsSync(root)) await unmountAside(root);
  // Only ever empty directories: what is still mounted makes this fail, and deletes nothing.
  for (const directory of [lower, mappedDisk, root, gate]) removeEmptyDirectory(directory);
}

function removeEmptyDirectory(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
