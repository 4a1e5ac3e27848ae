import { type ByteString, terminated } from './byte-string.ts';
import { AT_EMPTY_PATH, O_CLOEXEC } from './constants.ts';
import { check, declare, declareAside, systemCallNumbers } from './library.ts';

// Safe, all of them: strings are NUL-terminated Buffers that live during the call, and struct
// mount_attr is passed with its own size. Paths are the host's, never a guest's.
const mountCall = declare(
  'int mount(void *source, void *target, void *type, unsigned long flags, void *data)',
);
const umountPrototype = 'int umount2(void *target, int flags)';
const umountCall = declare(umountPrototype);
const umountAsideCall = declareAside(umountPrototype);
const openTreeCall = declare('long syscall(long nr, int dirfd, void *path, uint32_t flags)');
const moveMountCall = declare(
  'long syscall(long nr, int fromDir, void *from, int toDir, void *to, uint32_t flags)',
);
const mountSetattrCall = declare(
  'long syscall(long nr, int dirfd, void *path, uint32_t flags, void *attr, size_t size)',
);

export const MS_NOSUID = 2;
export const MS_NODEV = 4;

export const MOUNT_ATTR_RDONLY = 0x1;
export const MOUNT_ATTR_NOSUID = 0x2;
export const MOUNT_ATTR_NODEV = 0x4;
const MOUNT_ATTR_IDMAP = 0x100000;

const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;
const OPEN_TREE_CLONE = 1;
const MOVE_MOUNT_F_EMPTY_PATH = 0x4;
const MOVE_MOUNT_T_EMPTY_PATH = 0x40;
const MS_PRIVATE = 1 << 18;

const EMPTY = Buffer.alloc(1);

export function mount(
  source: ByteString,
  target: ByteString,
  type: ByteString,
  flags: number,
  data: ByteString,
): void {
  const from = terminated(source);
  const to = terminated(target);
  const kind = terminated(type);
  const options = terminated(data);
  check('mount', () => mountCall(from, to, kind, flags, options));
}

/** Never follows a symlink at the end of `target`. */
export function umount(target: ByteString, detach: boolean): void {
  const path = terminated(target);
  check('umount2', () => umountCall(path, UMOUNT_NOFOLLOW | (detach ? MNT_DETACH : 0)));
}

/** The same, detaching, on a thread of the pool. False when it failed, for whatever reason. */
export async function umountAside(target: ByteString): Promise<boolean> {
  return (await umountAsideCall(terminated(target), UMOUNT_NOFOLLOW | MNT_DETACH)) === 0;
}

/** A detached copy of the mount at `path`, without the mounts below it. */
export function cloneTree(dirfd: number, path: ByteString): number {
  const name = terminated(path);
  const flags = OPEN_TREE_CLONE | O_CLOEXEC | (path === '' ? AT_EMPTY_PATH : 0);
  return check('open_tree', () => openTreeCall(systemCallNumbers.openTree, dirfd, name, flags));
}

/** Attaches a detached mount to a path, or with an empty path to the directory `toDirectory` itself. */
export function moveMount(treeFd: number, toDirectory: number, path: ByteString): void {
  const to = terminated(path);
  const flags = MOVE_MOUNT_F_EMPTY_PATH | (path === '' ? MOVE_MOUNT_T_EMPTY_PATH : 0);
  check('move_mount', () =>
    moveMountCall(systemCallNumbers.moveMount, treeFd, EMPTY, toDirectory, to, flags),
  );
}

/** Sets attributes of a mount, makes it private, and with a user namespace maps its ids. */
export function setMountAttributes(
  treeFd: number,
  attributes: number,
  userNamespaceFd: number | undefined,
): void {
  const attr = Buffer.alloc(32); // struct mount_attr { u64 set, clear, propagation, userns_fd }
  attr.writeUInt32LE(attributes | (userNamespaceFd === undefined ? 0 : MOUNT_ATTR_IDMAP), 0);
  attr.writeUInt32LE(MS_PRIVATE, 16);
  attr.writeUInt32LE(userNamespaceFd ?? 0, 24);
  check('mount_setattr', () =>
    mountSetattrCall(
      systemCallNumbers.mountSetattr,
      treeFd,
      EMPTY,
      AT_EMPTY_PATH,
      attr,
      attr.length,
    ),
  );
}
