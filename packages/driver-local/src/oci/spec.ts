import type { SandboxLimits } from '@sandport/driver';
import type { Isolation } from '@sandport/protocol';
import type { Privileges } from '../machine/privileges.ts';
import { initCapabilities } from './capabilities.ts';
import { maskedPaths, readonlyPaths } from './kernel-areas.ts';
import { hostLimits } from './limits.ts';
import { type SeccompProfile, seccompProfile } from './seccomp-profile.ts';

/** Where the guest sees its init. */
export const initMount = '/run/sandport/init';

export interface OciSpecOptions {
  readonly isolation: Isolation;
  /** Mount point of the sandbox's root on the host. */
  readonly rootPath: string;
  readonly hostname: string;
  readonly limits: SandboxLimits;
  /** Directory with the socket and the token, seen in the guest at /run/sandport. */
  readonly controlDir: string;
  /** The init's binary on the host; `controlDir/init` is where it is mounted. */
  readonly initBinary: string;
  /** Path below every cgroup hierarchy. */
  readonly cgroupPath: string;
  /** First host id of the sandbox's own range; only `container` has one. */
  readonly idBase: number;
  readonly idCount: number;
  /** What the kernel's cgroups can enforce. */
  readonly cgroup: { readonly cpuQuota: boolean; readonly swap: boolean };
  readonly privileges: Privileges;
  /** Network namespace to begin in; a new one with loopback only without. */
  readonly networkPath?: string | undefined;
  /** Volumes that the runtime must mount itself: gVisor does not see what is mounted in its root. */
  readonly volumes?: readonly OciVolume[];
}

export interface OciVolume {
  readonly source: string;
  readonly guestPath: string;
  readonly readOnly: boolean;
}

interface Mount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

interface IdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

/** The part of the OCI runtime specification that is used here. */
export interface OciSpec {
  readonly ociVersion: string;
  readonly process: Readonly<Record<string, unknown>>;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly hostname: string;
  readonly mounts: readonly Mount[];
  readonly linux: {
    readonly namespaces: readonly { readonly type: string; readonly path?: string }[];
    readonly uidMappings?: readonly IdMapping[];
    readonly gidMappings?: readonly IdMapping[];
    readonly cgroupsPath: string;
    readonly resources: Readonly<Record<string, unknown>>;
    readonly maskedPaths: readonly string[];
    readonly readonlyPaths: readonly string[];
    readonly seccomp?: SeccompProfile;
  };
}

/**
 * The configuration with which `runc` or `runsc` starts a sandbox: all namespaces its own, no
 * network but loopback unless one is named, few capabilities, no privileges to gain, limits set.
 */
export function ociSpec(options: OciSpecOptions): OciSpec {
  const { isolation, networkPath } = options;
  const { openFiles } = options.privileges;
  const container = isolation === 'container';
  const mapping = [{ containerID: 0, hostID: options.idBase, size: options.idCount }];
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: initArguments(options),
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      cwd: '/',
      capabilities: {
        bounding: initCapabilities(isolation),
        effective: initCapabilities(isolation),
        permitted: initCapabilities(isolation),
        inheritable: [],
        ambient: [],
      },
      rlimits: [
        { type: 'RLIMIT_NOFILE', hard: openFiles, soft: openFiles },
        { type: 'RLIMIT_CORE', hard: 0, soft: 0 },
      ],
      noNewPrivileges: true,
      // The init of a container outlives its commands; under gVisor one process holds them all.
      oomScoreAdj: container ? (options.privileges.lowerOomScore ? -900 : 0) : 100,
    },
    root: { path: options.rootPath, readonly: false },
    hostname: options.hostname,
    mounts: mounts(options),
    linux: {
      namespaces: [
        { type: 'pid' },
        { type: 'network', ...(networkPath === undefined ? {} : { path: networkPath }) },
        { type: 'ipc' },
        { type: 'uts' },
        { type: 'mount' },
        ...(container ? [{ type: 'user' }, { type: 'cgroup' }] : []),
      ],
      ...(container ? { uidMappings: mapping, gidMappings: mapping } : {}),
      cgroupsPath: options.cgroupPath,
      resources: resources(options),
      maskedPaths: container ? maskedPaths : [],
      readonlyPaths: container ? readonlyPaths : [],
      ...(container ? { seccomp: seccompProfile(process.arch) } : {}),
    },
  };
}

function initArguments({ isolation, limits }: OciSpecOptions): string[] {
  const args = [initMount, '--socket', '/run/sandport/init.sock'];
  args.push('--token-file', '/run/sandport/token');
  // The host's cgroup must not stop or kill the sentry, so the init keeps these two limits inside.
  if (isolation === 'gvisor')
    args.push('--pids-max', `${limits.pids}`, '--memory-guard', `${limits.memoryBytes}`);
  return args;
}

function mounts({
  limits,
  controlDir,
  initBinary,
  isolation,
  volumes = [],
}: OciSpecOptions): Mount[] {
  const shmBytes = Math.max(1 << 20, Math.floor(limits.memoryBytes / 2));
  const bind = (source: string, destination: string, ...options: string[]): Mount => ({
    destination,
    type: 'bind',
    source,
    options: ['bind', 'nosuid', 'nodev', ...options],
  });
  return [
    {
      destination: '/proc',
      type: 'proc',
      source: 'proc',
      options: ['nosuid', 'noexec', 'nodev'],
    },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    {
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${shmBytes}`],
    },
    {
      destination: '/sys',
      type: 'sysfs',
      source: 'sysfs',
      options: ['nosuid', 'noexec', 'nodev', 'ro'],
    },
    ...(isolation === 'container'
      ? [
          {
            destination: '/dev/mqueue',
            type: 'mqueue',
            source: 'mqueue',
            options: ['nosuid', 'noexec', 'nodev'],
          },
        ]
      : []),
    bind(controlDir, '/run/sandport', 'ro', 'noexec'),
    bind(initBinary, initMount, 'ro'),
    ...volumes.map(({ source, guestPath, readOnly }) =>
      bind(source, guestPath, readOnly ? 'ro' : 'rw'),
    ),
  ];
}

function resources(options: OciSpecOptions): Record<string, unknown> {
  const { memoryBytes: memory, pids, cpu } = hostLimits(options);
  return {
    devices: [{ allow: false, access: 'rwm' }],
    memory: { limit: memory, ...(options.cgroup.swap ? { swap: memory } : {}) },
    ...(pids === undefined ? {} : { pids: { limit: pids } }),
    cpu: {
      shares: cpu.shares,
      ...(cpu.quotaUs === undefined ? {} : { quota: cpu.quotaUs, period: cpu.periodUs }),
    },
  };
}
