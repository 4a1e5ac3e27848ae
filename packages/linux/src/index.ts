export {
  type CgroupHierarchy,
  type CgroupInfo,
  type CgroupMode,
  type RemoveCgroupOptions,
  cgroupDirectories,
  detectCgroups,
  killCgroup,
  listCgroupProcesses,
  readCgroupOomKills,
  removeCgroup,
} from './cgroups.ts';
export { type CgroupUsage, readCgroupUsage } from './cgroup-usage.ts';
export { CgroupInUseError, type CgroupLimits, setCgroupLimits } from './cgroup-limits.ts';
export { freezeCgroup, isCgroupFrozen, thawCgroup } from './freezer.ts';
export { lockFile } from './file-lock.ts';
export { SystemError, errnoOf } from './ffi/system-error.ts';
export {
  type LayerChange,
  type LayerChangesOptions,
  layerChanges,
} from './layers/layer-changes.ts';
export { type CopyLayerOptions, copyLayer } from './layers/copy-layer.ts';
export { Limiter } from './limiter.ts';
export {
  type BtrfsImageOptions,
  type SubvolumeUsage,
  createBtrfsImage,
  createSubvolume,
  deleteSubvolume,
  enableQuota,
  growBtrfsImage,
  isOnBtrfs,
  limitSubvolume,
  mountBtrfsImage,
  snapshotSubvolume,
  subvolumeUsage,
} from './mounts/btrfs.ts';
export {
  type DiskImageOptions,
  createDiskImage,
  mountDiskImage,
  resizeDiskImage,
} from './mounts/disk-image.ts';
export type { DirectoryWatcher, WatchDirectoryOptions } from './inotify/directory-watcher.ts';
export type { DirectoryEvent, ResyncReason } from './inotify/watch-event.ts';
export { type HostEntry, exchangeEntries } from './mounts/exchange-entries.ts';
export { type MountEntry, listMounts } from './mounts/list-mounts.ts';
export { type OverlayOptions, mountOverlay } from './mounts/overlay.ts';
export {
  type ProbeResult,
  probeIdMappedOverlay,
  probeOpenat2,
  probeOverlay,
} from './mounts/probes.ts';
export {
  type BindTreeOptions,
  type IdMappedTreeOptions,
  type UnmountOptions,
  attachTree,
  bindTree,
  createIdMappedTree,
  detachMount,
  unmount,
} from './mounts/trees.ts';
export { type UserNamespaceOptions, createUserNamespace } from './mounts/user-namespace.ts';
export { isAlive, processStartTime } from './process-identity.ts';
export { keepJoinsQuick } from './quick-joins.ts';
export type { ProcessEnd } from './processes/children.ts';
export { findProgram } from './processes/find-program.ts';
export { OutputPipe } from './processes/output-pipe.ts';
export { ProgramError } from './processes/program-error.ts';
export {
  type ProgramOutput,
  type RunProgramOptions,
  runProgram,
} from './processes/run-program.ts';
export {
  type Program,
  plainEnvironment,
  type StartProgramOptions,
  startProgram,
} from './processes/start-program.ts';
export type { ChangeOptions } from './rooted-fs/attributes/change-attributes.ts';
export type { TreeUsage } from './rooted-fs/walk/disk-usage.ts';
export type { TouchPathOptions, TransferPathOptions } from './rooted-fs/entries/entry-options.ts';
export type { EntryType, FileStat } from './rooted-fs/attributes/file-stat.ts';
export type { GuestOwner } from './rooted-fs/attributes/id-mapping.ts';
export type { ByteRange, OpenedFile } from './rooted-fs/descriptors/opened-file.ts';
export type { PendingFile } from './rooted-fs/write/pending-file.ts';
export type { PendingPatch } from './rooted-fs/write/pending-patch.ts';
export type { Committed } from './rooted-fs/write/pending-write.ts';
export type { WritePrecondition } from './rooted-fs/write/put-in-place.ts';
export { removeTree } from './rooted-fs/remove/remove-host-tree.ts';
export type { RemoveOptions } from './rooted-fs/remove/remove-path.ts';
export {
  RootedFsError,
  type RootedFsErrorDetails,
  type RootedFsErrorKind,
} from './rooted-fs/rooted-fs-error.ts';
export type { CreateWriterOptions } from './rooted-fs/write/begin-write.ts';
export {
  DEFAULT_HIDDEN_AREAS,
  type HoldFileOptions,
  type MakeDirectoryOptions,
  RootedFs,
  type RootedFsOptions,
} from './rooted-fs/rooted-fs.ts';
export type { TreeEntry, WalkTreeOptions } from './rooted-fs/walk/walk-tree.ts';
export type { HeldFile, HeldFileChange } from './rooted-fs/held/held-file.ts';
export type { FileSystemSpace } from './rooted-fs/paths/file-system-space.ts';
export type { StagedAppend } from './rooted-fs/staged/staged-append.ts';
export type { StagedRef } from './rooted-fs/staged/staged-file.ts';
export type { StagedFiles } from './rooted-fs/staged/staged-files.ts';
export type { PendingTreeFile, TreeAttributes, TreeWriter } from './rooted-fs/trees/tree-writer.ts';
export { TimeSlice } from './time-slice.ts';
export { forgetConnections } from './network/connections.ts';
export { Links, type Route } from './network/links.ts';
export { createNetworkNamespace, inNetworkNamespace } from './network/network-namespace.ts';
export type { LoggedPacket } from './network/logged-packet.ts';
export { PacketLog } from './network/packet-log.ts';
