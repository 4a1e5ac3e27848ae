import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { release } from 'node:os';
import { dirname } from 'node:path';
import { findProgram, probeIdMappedOverlay, probeOpenat2, probeOverlay } from '@sandport/linux';
import type { CgroupFeatures } from './cgroup-features.ts';
import type { MachineRow } from './report.ts';

const gib = 1024 ** 3;
/** Below this a template cannot be built. */
const leastFreeBytes = 2 * gib;

export function kernelRow(): MachineRow {
  const { works, reason } = probeOpenat2();
  return works
    ? { name: 'kernel', status: 'ok', detail: `Linux ${release()}, has openat2` }
    : {
        name: 'kernel',
        status: 'missing',
        detail: `Linux ${release()}: openat2 does not work (${reason})`,
        cost: 'no file of a sandbox can be served; Linux 5.6 or newer is needed',
        fix: 'apt-get install linux-image-amd64 && reboot',
      };
}

export function rootRow(): MachineRow {
  return process.getuid?.() === 0
    ? { name: 'root', status: 'ok', detail: 'runs as root' }
    : {
        name: 'root',
        status: 'missing',
        detail: `runs as user ${process.getuid?.()}`,
        cost: 'no sandbox can be started',
        fix: 'run the command with sudo',
      };
}

export function cgroupRow({ mode, memory, pids, cpuQuota, swap }: CgroupFeatures): MachineRow {
  const lacking = [
    ...(memory ? [] : ['memory']),
    ...(pids ? [] : ['pids']),
    ...(cpuQuota ? [] : ['CPU quota']),
    ...(swap ? [] : ['swap']),
  ];
  if (mode === 'none' || !memory || !pids)
    return {
      name: 'cgroups',
      status: 'missing',
      detail: `mode ${mode}, without ${lacking.join(', ')}`,
      cost: 'the limits of sandboxes cannot be enforced',
      fix: 'mount -t cgroup2 none /sys/fs/cgroup',
    };
  return lacking.length === 0
    ? { name: 'cgroups', status: 'ok', detail: `mode ${mode}: memory, swap, pids, CPU quota` }
    : {
        name: 'cgroups',
        status: 'degraded',
        detail: `mode ${mode}, without ${lacking.join(', ')}`,
        cost: cpuQuota
          ? 'a sandbox can use swap beyond its memory limit'
          : 'CPU is shared by weight; a sandbox can use what the others leave idle',
      };
}

export async function overlayRows(directory: string): Promise<MachineRow[]> {
  const overlay = await probeOverlay(directory);
  const mapped = await probeIdMappedOverlay(directory);
  return [
    overlay.works
      ? { name: 'overlay', status: 'ok', detail: `works on ${directory}` }
      : {
          name: 'overlay',
          status: 'missing',
          detail: `cannot be mounted on ${directory}: ${overlay.reason}`,
          cost: 'no sandbox has a disk',
          fix: 'modprobe overlay, or choose a data directory on ext4, xfs or btrfs',
        },
    mapped.works
      ? { name: 'id-mapped overlay', status: 'ok', detail: `works on ${directory}` }
      : {
          name: 'id-mapped overlay',
          status: 'missing',
          detail: `does not work on ${directory}: ${mapped.reason}`,
          cost: 'container sandboxes cannot run; they need Linux 5.19 or newer',
          fix: 'apt-get install linux-image-amd64 && reboot',
        },
  ];
}

export function userNamespaceRow(): MachineRow {
  const limit = read('/proc/sys/user/max_user_namespaces').trim();
  return existsSync('/proc/self/ns/user') && limit !== '0'
    ? { name: 'user namespaces', status: 'ok', detail: `at most ${limit || 'unlimited'}` }
    : {
        name: 'user namespaces',
        status: 'missing',
        detail: 'the kernel makes none',
        cost: 'container sandboxes cannot run',
        fix: 'sysctl -w user.max_user_namespaces=65536',
      };
}

export function seccompRow(): MachineRow {
  return read('/proc/sys/kernel/seccomp/actions_avail').includes('errno')
    ? { name: 'seccomp', status: 'ok', detail: 'filters work' }
    : {
        name: 'seccomp',
        status: 'missing',
        detail: 'the kernel has no filters',
        cost: 'container sandboxes cannot run; guests could reach every system call',
        fix: 'apt-get install linux-image-amd64 && reboot',
      };
}

export function optionalRows(): MachineRow[] {
  const kvm = existsSync('/dev/kvm');
  return [
    btrfsRow(),
    { name: 'KVM', status: 'ok', detail: `${kvm ? 'there' : 'not there'}; not needed` },
  ];
}

/** Whether the storage `btrfs` can be chosen. */
function btrfsRow(): MachineRow {
  const missing = ['btrfs', 'mkfs.btrfs'].filter((name) => findProgram(name) === undefined);
  if (missing.length > 0)
    return {
      name: 'btrfs',
      status: 'degraded',
      detail: `${missing.join(' and ')} not installed`,
      cost: 'the storage `btrfs` cannot be chosen: forks and snapshots copy files',
      fix: 'apt-get install btrfs-progs',
    };
  const known = /\bbtrfs$/m.test(read('/proc/filesystems'));
  return {
    name: 'btrfs',
    status: 'ok',
    detail: known ? 'there' : 'tools are there; the kernel has not loaded it yet, or lacks it',
  };
}

export function diskRow(directory: string): MachineRow {
  const path = existing(directory);
  const { bavail, bsize } = statfsSync(path);
  const free = bavail * bsize;
  const detail = `${(free / gib).toFixed(1)} GiB free on ${path}`;
  return free >= leastFreeBytes
    ? { name: 'disk', status: 'ok', detail }
    : {
        name: 'disk',
        status: 'degraded',
        detail,
        cost: 'templates need about 2 GiB',
        fix: 'free some space, or choose another data directory with --data-dir',
      };
}

/** The directory itself, or the nearest one above it that is there. */
export function existing(directory: string): string {
  let path = directory;
  while (!existsSync(path)) path = dirname(path);
  return path;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
