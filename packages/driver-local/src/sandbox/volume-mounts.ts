import { closeSync } from 'node:fs';
import type { SandboxSpec } from '@sandport/driver';
import {
  attachTree,
  bindTree,
  createIdMappedTree,
  type RootedFs,
  RootedFsError,
} from '@sandport/linux';
import { SandportFault, type VolumeMount } from '@sandport/protocol';
import type { OciVolume } from '../oci/spec.ts';
import type { LocalVolumes } from '../volumes.ts';

type Mounting = Pick<SandboxSpec, 'namespace' | 'volumes'>;

/** Where the guest sees a volume. */
export const volumeGuestPath = ({ name, path }: VolumeMount): string => path ?? `/mnt/${name}`;

/** What a sandbox mounts: one that lies in another after that one. */
const inOrder = (volumes: readonly VolumeMount[]): VolumeMount[] =>
  volumes.toSorted((a, b) => (volumeGuestPath(a) < volumeGuestPath(b) ? -1 : 1));

/**
 * Mounts the volumes into the root, so that the API and the guest see the same files at the same
 * path. Missing ones are made. The mount points are made by descriptor: the tree may be one that a
 * guest has written.
 * @param namespaceFd user namespace that maps the sandbox's ids; `container` only
 * @throws SandportFault `invalid_request` when a symlink is on the way to a mount point
 */
export async function mountVolumes(
  { namespace, volumes: mounts }: Mounting,
  volumes: LocalVolumes,
  root: RootedFs,
  namespaceFd: number | undefined,
): Promise<void> {
  for (const mount of inOrder(mounts)) {
    const { name, read_only: readOnly = false, size_mb: sizeMb } = mount;
    const sizeBytes = sizeMb === undefined ? undefined : sizeMb * 2 ** 20;
    await volumes.ensure(namespace, name, { sizeBytes });
    const target = openTarget(root, volumeGuestPath(mount));
    try {
      const tree = volumeTree(volumes.dataPath(namespace, name), readOnly, namespaceFd);
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

/** The same for a runtime: gVisor knows mounts only by its own list. */
export const ociVolumes = (volumes: LocalVolumes, { namespace, volumes: mounts }: Mounting) =>
  inOrder(mounts).map(
    (mount): OciVolume => ({
      source: volumes.dataPath(namespace, mount.name),
      guestPath: volumeGuestPath(mount),
      readOnly: mount.read_only ?? false,
    }),
  );

/** A symlink could lead to where nothing may be mounted, and the runtime might follow it elsewhere. */
function openTarget(root: RootedFs, path: string): number {
  const target = openDirectory(root, path);
  try {
    const found = root.locate(path).pathBytes.toString();
    if (found === path) return target;
    throw new SandportFault(
      'invalid_request',
      `A volume cannot be mounted at ${path}: a symbolic link leads from there to ${found}.`,
      { field: 'volumes' },
    );
  } catch (error) {
    closeSync(target);
    throw error;
  }
}

/** What is wrong with the path is the fault of whoever named it. */
const refused: readonly string[] = [
  'not_a_directory',
  'not_a_regular_file',
  'symlink_loop',
  'invalid_path',
];

function openDirectory(root: RootedFs, path: string): number {
  try {
    return root.openMountTarget(path);
  } catch (error) {
    if (!(error instanceof RootedFsError) || !refused.includes(error.kind)) throw error;
    const message = `A volume cannot be mounted at ${path}: ${error.reason ?? error.message}.`;
    throw new SandportFault('invalid_request', message, { field: 'volumes' }, { cause: error });
  }
}

/** A volume's tree, detached, with the sandbox's ids. The caller closes the descriptor. */
function volumeTree(source: string, readOnly: boolean, namespaceFd: number | undefined): number {
  return namespaceFd === undefined
    ? bindTree({ source, readOnly })
    : createIdMappedTree({ source, userNamespaceFd: namespaceFd, readOnly });
}
