import { chownSync, closeSync, existsSync, mkdirSync, rmdirSync } from 'node:fs';
import type { SandboxSpec } from '@sandport/driver';
import {
  attachTree,
  bindTree,
  createIdMappedTree,
  mountOverlay,
  RootedFs,
  unmount,
} from '@sandport/linux';
import type { SandboxLayers } from '../files/changes.ts';
import type { SandboxLayout } from '../layout.ts';
import type { LocalVolumes } from '../volumes.ts';
import { idRangeSize } from './id-ranges.ts';
import { unmountAside } from './unmount-aside.ts';

export interface RootMountOptions {
  readonly layout: SandboxLayout;
  readonly templateRoot: string;
  /** User namespace that maps the sandbox's ids; `container` only. */
  readonly namespaceFd?: number | undefined;
}

/** Where the guest sees a volume. */
export const volumeGuestPath = (name: string): string => `/mnt/${name}`;

/** Makes the directories of the sandbox's disk, writable for its root. */
export function makeDiskDirectories(layout: SandboxLayout, idBase: number): void {
  mkdirSync(layout.upper, { recursive: true, mode: 0o755 });
  mkdirSync(layout.work, { recursive: true, mode: 0o700 });
  chownSync(layout.upper, idBase, idBase);
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
export function mountRoot(options: RootMountOptions): void {
  const { layout, templateRoot, namespaceFd } = options;
  const { upper, work, root: target } = layout;
  if (namespaceFd === undefined) {
    mountOverlay({ lower: [templateRoot], upper, work, target });
    return;
  }
  // Overlay takes its layers by path: the mapped template has one for a moment.
  mkdirSync(layout.lower, { mode: 0o700 });
  const tree = createIdMappedTree({
    source: templateRoot,
    userNamespaceFd: namespaceFd,
    readOnly: true,
  });
  try {
    attachTree(tree, { path: layout.lower });
    mountOverlay({ lower: [layout.lower], upper, work, target });
  } finally {
    closeSync(tree);
    unmount(layout.lower, { detach: true });
    rmdirSync(layout.lower);
  }
}

/** Opens the mounted root for the daemon's own file access. */
export const openRoot = (layout: SandboxLayout, idBase: number): RootedFs =>
  RootedFs.open(layout.root, { idBase, idCount: idRangeSize, notesDirectory: layout.copies });

/** Where the layers of a root lie. */
export const layersOf = (
  layout: SandboxLayout,
  template: { readonly rootPath: string },
  idBase: number,
): SandboxLayers => ({ upper: layout.upper, template: template.rootPath, idBase });

/** A volume's tree, detached, with the sandbox's ids. The caller closes the descriptor. */
export function volumeTree(
  source: string,
  readOnly: boolean,
  namespaceFd: number | undefined,
): number {
  return namespaceFd === undefined
    ? bindTree({ source, readOnly })
    : createIdMappedTree({ source, userNamespaceFd: namespaceFd, readOnly });
}

/**
 * Mounts the volumes into the root, so that the API and the guest see the same files at the same
 * path. The mount points are made by descriptor: the tree may be one that a guest has written.
 */
export function mountVolumes(
  spec: Pick<SandboxSpec, 'namespace' | 'volumes'>,
  volumes: LocalVolumes,
  root: RootedFs,
  namespaceFd: number | undefined,
): void {
  for (const { name, read_only: readOnly = false } of spec.volumes) {
    const target = root.openMountTarget(volumeGuestPath(name));
    try {
      const tree = volumeTree(volumes.dataPath(spec.namespace, name), readOnly, namespaceFd);
      try {
        attachTree(tree, { fd: target });
      } finally {
        closeSync(tree);
      }
    } finally {
      closeSync(target);
    }
  }
}

/** Takes away the root, the volumes in it and their mount points. Idempotent. */
export async function unmountRoot(layout: SandboxLayout): Promise<void> {
  if (existsSync(layout.lower)) unmount(layout.lower, { detach: true });
  if (existsSync(layout.root)) await unmountAside(layout.root);
  // Only ever empty directories: what is still mounted makes this fail, and deletes nothing.
  for (const directory of [layout.lower, layout.root, layout.gate]) removeEmptyDirectory(directory);
}

/** Takes away the disk of a sandbox with a disk limit, after its root. Idempotent. */
export async function unmountDisk(layout: SandboxLayout): Promise<void> {
  if (existsSync(layout.diskImage)) await unmountAside(layout.disk);
}

function removeEmptyDirectory(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
