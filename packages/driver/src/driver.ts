import type {
  Isolation,
  Namespace,
  Network,
  SandboxId,
  SandportFault,
  SnapshotId,
  TemplateName,
  VolumeMount,
} from '@sandport/protocol';
import type { SandboxCommands } from './commands.ts';
import type { KeptCommands } from './kept-commands.ts';
import type { SandboxFiles } from './files/index.ts';
import type { SnapshotStore } from './snapshots.ts';
import type { TemplateStore } from './templates.ts';
import type { VolumeStore } from './volumes.ts';

/** Limits of one sandbox, complete. */
export interface SandboxLimits {
  /** CPU cores; fractions allowed. */
  readonly cpu: number;
  readonly memoryBytes: number;
  /** Undefined: no limit but the disk of the machine. */
  readonly diskBytes?: number | undefined;
  readonly pids: number;
}

/** All that a driver needs to make a sandbox; the engine has filled in every default. */
export interface SandboxSpec {
  readonly id: SandboxId;
  readonly template: TemplateName;
  readonly isolation: Isolation;
  readonly namespace: Namespace;
  readonly hostname: string;
  readonly limits: SandboxLimits;
  readonly volumes: readonly VolumeMount[];
  /** Default user of commands and owner of files: a name of the template's passwd, or a number. */
  readonly user: string;
  /** Default directory of commands. */
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  /** Undefined: none but loopback. */
  readonly network?: Network | undefined;
}

/** A connection, or the question for a name, that the network of a sandbox does not allow. */
export interface NetworkDenial {
  readonly sandbox: SandboxId;
  /** As `93.184.216.34`; absent where a name was asked for. */
  readonly destination?: string | undefined;
  readonly port?: number | undefined;
  readonly protocol: 'tcp' | 'udp' | 'icmp' | 'other' | 'dns';
  /** What was asked for, or what the address was the answer for. */
  readonly name?: string | undefined;
  /** How many others of this sandbox were not told since the last one. */
  readonly leftOut: number;
}

/** Why a sandbox is no longer running although nobody deleted it. */
export interface SandboxDeath {
  readonly reason: string;
}

/** A sandbox with processes, running or paused, in the driver's hands. */
export interface DriverSandbox {
  readonly id: SandboxId;
  /** The same object for as long as the sandbox keeps its disk: through pause, hibernation and fork. */
  readonly files: SandboxFiles;
  /** While it is paused, commands that run wait, and new ones are not started. */
  readonly commands: SandboxCommands;
  /** Frozen by {@link Driver.pause}. */
  readonly paused: boolean;
  /**
   * `attached`: it has a network interface, whatever that lets through; `pending`: the network of its
   * spec comes with its next start. Undefined: neither.
   */
  readonly network?: 'attached' | 'pending' | undefined;
  /**
   * Resolves when the sandbox dies by itself; never rejects; stays pending on
   * {@link Driver.remove} and {@link Driver.hibernate}.
   */
  readonly died: Promise<SandboxDeath>;
}

/** What remains of a sandbox without processes: its files. */
export interface StoppedSandbox {
  readonly id: SandboxId;
  readonly files: SandboxFiles;
  /** Its kept commands: `running` are those that go on when it wakes. */
  readonly commands: KeptCommands;
  /** Why it has no processes. */
  readonly reason: string;
  /** Present when it was hibernated, and did not die. */
  readonly hibernation?: Hibernation | undefined;
}

export interface Hibernation {
  /** True: `wake` gives processes and memory back; false: it starts afresh from the disk. */
  readonly memory: boolean;
}

/** A sandbox that got its processes back. */
export interface WokenSandbox {
  readonly sandbox: DriverSandbox;
  /** True: its processes and their memory are what they were. */
  readonly memory: boolean;
  /** Why it is not, when it could have been: the image is missing or damaged. */
  readonly fallback?: string | undefined;
}

export interface ForkOptions {
  /** Children begin with the parent's processes and memory; only `gvisor` can. @default false */
  readonly memory?: boolean;
  readonly signal?: AbortSignal;
}

export interface ForkReport {
  /** In the order of the specs: the child, or why there is none. Of a failed one nothing is left. */
  readonly children: readonly (DriverSandbox | SandportFault)[];
  readonly memory: boolean;
  /** How long the parent stood still, in milliseconds. */
  readonly pauseMs: number;
}

export interface CreateOptions {
  readonly signal?: AbortSignal;
  /** Begin with the disk of a snapshot, on the template version that it stands on. */
  readonly from?: SnapshotId;
  /** Also with the memory of the snapshot, where it has one. @default true */
  readonly memory?: boolean;
  /** Called with the reason when it begins without the memory that it was to have. */
  readonly onFallback?: (reason: string) => void;
}

/** What a sandbox uses at this moment. */
export interface SandboxUsage {
  /** First process on the host; undefined without processes. */
  readonly pid?: number | undefined;
  /** Since its processes were started. */
  readonly uptimeSeconds: number;
  /** Processor time used since its processes were started. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  /** Most that `memoryBytes` has been, where the kernel tells. */
  readonly memoryPeakBytes?: number | undefined;
  readonly pids: number;
  /** Bytes that its disk holds beside the template; it may be some seconds old. */
  readonly diskBytes: number;
  readonly networkReceivedBytes: number;
  readonly networkSentBytes: number;
}

export interface UsageOptions {
  /**
   * How old what takes long to count may be, in milliseconds: the bytes on its disk, and the
   * processes inside another kernel. @default 5000
   */
  readonly countAgeMs?: number;
}

export interface AdoptionReport {
  /** With processes, some of them paused. */
  readonly running: readonly DriverSandbox[];
  /** Known sandboxes without processes, hibernated or dead; their disk is still there. */
  readonly stopped: readonly StoppedSandbox[];
  /** Known sandboxes that cannot be taken over. What is left of them stays until `remove`. */
  readonly lost: readonly SandboxId[];
}

/** What an earlier daemon left that somebody still knows. */
export interface Known {
  readonly sandboxes: readonly SandboxSpec[];
  readonly snapshots: readonly SnapshotId[];
}

/**
 * The port through which the engine runs sandboxes. Every implementation passes
 * `driverConformance` of this package. Methods may be called concurrently for different sandboxes;
 * those that change one sandbox's state (all but `usage`) come one after the other, which the
 * engine sees to; only `remove` may come at any time. They throw `SandportFault`.
 */
export interface Driver extends AsyncDisposable {
  readonly name: string;
  /** What works here, strongest first; empty when nothing does. */
  readonly isolations: readonly Isolation[];
  /** Isolations whose hibernation, fork and snapshot can keep memory. */
  readonly memoryIsolations: readonly Isolation[];
  /** Isolations whose sandboxes get an interface while they run; others with their next start. */
  readonly liveNetworkIsolations: readonly Isolation[];
  readonly templates: TemplateStore;
  readonly volumes: VolumeStore;
  readonly snapshots: SnapshotStore;

  /**
   * Makes a sandbox and resolves when its init takes commands. On failure or abort nothing of it
   * is left.
   * @throws SandportFault `create_failed`, `invalid_request` (the template has no such user),
   * `template_not_found`, `snapshot_not_found`, `disk_full`, `isolation_unavailable`
   */
  create(spec: SandboxSpec, options?: CreateOptions): Promise<DriverSandbox>;

  /**
   * Called once at start: takes over those of `known` that are there, and removes everything of
   * this driver (processes, mounts, cgroups, directories) that belongs to none of them.
   */
  adopt(known: Known): Promise<AdoptionReport>;

  /** Freezes all processes. Files are still served. Idempotent. @throws `invalid_state` */
  pause(id: SandboxId): Promise<void>;

  /** Idempotent. @throws `invalid_state` when it has no processes */
  resume(id: SandboxId): Promise<void>;

  /**
   * Ends all processes of a running or paused sandbox and gives their memory back to the machine,
   * on `gvisor` after it was written to the disk. Commands that run end with `invalid_state` for
   * whoever waits for them. Its files stay open: a write that is under way goes on.
   * @throws `hibernate_failed`, `disk_full`: the sandbox then runs as before
   */
  hibernate(id: SandboxId): Promise<StoppedSandbox & { readonly hibernation: Hibernation }>;

  /**
   * Gives a sandbox without processes, hibernated or dead, its processes back: from the memory
   * image, or by a new start from the disk. An image serves once.
   * @throws `create_failed`: the sandbox then is as before
   */
  wake(spec: SandboxSpec, options?: { signal?: AbortSignal }): Promise<WokenSandbox>;

  /**
   * Makes copies of a sandbox with its disk and the volumes of the specs. A parent with processes
   * goes on afterwards, with its commands; one without stays as it is.
   * @throws `fork_failed`, `disk_full` when no child could be made
   */
  fork(
    parent: SandboxId,
    children: readonly SandboxSpec[],
    options?: ForkOptions,
  ): Promise<ForkReport>;

  /**
   * Puts the disk of a snapshot, and its memory where it has one, in the place of the sandbox's
   * own. `files` of the sandbox is another object afterwards.
   * @throws `snapshot_not_found`, `create_failed`: the sandbox then is stopped, with its old disk
   */
  restore(spec: SandboxSpec, snapshot: SnapshotId): Promise<WokenSandbox>;

  /**
   * Changes user, workdir, environment, limits and network of a sandbox to those of the spec, where
   * they differ. Commands that run keep their own of the first three.
   * @throws `invalid_request` for what cannot be changed: a disk that shrinks below what it holds
   */
  reconfigure(spec: SandboxSpec): Promise<void>;

  /**
   * Has a function told of what the networks of sandboxes refused: at most some a second of each
   * sandbox. Absent where they have none.
   */
  readonly onNetworkDenied?: (listener: (denial: NetworkDenial) => void) => void;

  /** Costs little, but for the disk. @throws `sandbox_not_found` */
  usage(id: SandboxId, options?: UsageOptions): Promise<SandboxUsage>;

  /** Ends the sandbox and removes all of it but its volumes. Idempotent. */
  remove(id: SandboxId): Promise<void>;

  /** Releases the daemon's side only: sandboxes keep running. */
  [Symbol.asyncDispose](): Promise<void>;
}
