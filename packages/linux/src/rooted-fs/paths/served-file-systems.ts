import { fileSystemMagic } from '../../ffi/file-calls.ts';

/**
 * Kernel interfaces in the shape of a file system (include/uapi/linux/magic.h): reading and writing
 * there acts on the machine. FUSE and autofs are here because another process answers for them and
 * may never do so.
 */
const refused: ReadonlySet<number> = new Set([
  0x9fa0, // proc
  0x62656572, // sysfs
  0x0027e0eb, // cgroup
  0x63677270, // cgroup2
  0x1cd1, // devpts
  0x64626720, // debugfs
  0x74726163, // tracefs
  0x73636673, // securityfs
  0xcafe4a11, // bpf
  0x19800202, // mqueue
  0x6165676c, // pstore
  0xde5e81e4, // efivarfs
  0x62656570, // configfs
  0x42494e4d, // binfmt_misc
  0x6e736673, // nsfs
  0xf97cff8c, // selinuxfs
  0x43415d53, // smackfs
  0x5a3c69f0, // apparmorfs
  0x07655821, // resctrl
  0x50495045, // pipefs
  0x534f434b, // sockfs
  0x09041934, // anon_inodefs
  0x0187, // autofs
  0x65735546, // fuse
  0x65735543, // fusectl
]);

export function isServedFileSystem(fd: number): boolean {
  return !refused.has(fileSystemMagic(fd));
}
