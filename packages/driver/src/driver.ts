import type {
  Isolation,
  Namespace,
  SandboxId,
  TemplateName,
  VolumeMount,
  VolumeName,
} from '@sandport/protocol';
import type { SandboxCommands } from './commands.ts';
import type { SandboxFiles } from './files/index.ts';

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
}

/** Why a sandbox is no longer running although nobody deleted it. */
export interface SandboxDeath {
  readonly reason: string;
}

/** A running sandbox in the driver's hands. */
export interface DriverSandbox {
  readonly id: SandboxId;
  readonly files: SandboxFiles;
  readonly commands: SandboxCommands;
  /** Resolves when the sandbox dies by itself; never rejects; stays pending on {@link Driver.remove}. */
  readonly died: Promise<SandboxDeath>;
}

/** What remains of a dead or stopped sandbox: its files. */
export interface StoppedSandbox {
  readonly id: SandboxId;
  readonly files: SandboxFiles;
  readonly reason: string;
}

export interface AdoptionReport {
  readonly running: readonly DriverSandbox[];
  /** Known sandboxes whose init is gone; their disk is still there. */
  readonly stopped: readonly StoppedSandbox[];
  /** Known sandboxes that cannot be taken over. What is left of them stays until `remove`. */
  readonly lost: readonly SandboxId[];
}

/**
 * The port through which the engine runs sandboxes. Every implementation passes
 * `driverConformance` of this package. All methods may be called concurrently, and throw
 * `SandportFault`.
 */
export interface Driver extends AsyncDisposable {
  readonly name: string;
  /** What works here, strongest first; empty when nothing does. */
  readonly isolations: readonly Isolation[];
  readonly templates: TemplateStore;
  readonly volumes: VolumeStore;

  /**
   * Makes a sandbox and resolves when its init takes commands. On failure or abort nothing of it
   * is left.
   * @throws SandportFault `create_failed`, `invalid_request` (the template has no such user),
   * `template_not_found`, `disk_full`, `isolation_unavailable`
   */
  create(spec: SandboxSpec, options?: { signal?: AbortSignal }): Promise<DriverSandbox>;

  /**
   * Called once at start: takes over those of `known` that are alive, and removes everything of
   * this driver (processes, mounts, cgroups, directories) that belongs to none of them.
   */
  adopt(known: readonly SandboxSpec[]): Promise<AdoptionReport>;

  /** Ends the sandbox and removes all of it but its volumes. Idempotent. */
  remove(id: SandboxId): Promise<void>;

  /** Releases the daemon's side only: sandboxes keep running. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A template as the driver knows it. */
export interface TemplateInfo {
  readonly name: TemplateName;
  readonly description: string;
  readonly status: 'ready' | 'absent' | 'building' | 'failed';
  /** Bytes on disk, 0 before it is built. */
  readonly sizeBytes: number;
  readonly builtAt?: Date | undefined;
  /** Defaults for sandboxes. */
  readonly user: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: SandboxLimits;
}

export interface TemplateStore {
  list(): Promise<readonly TemplateInfo[]>;
  /**
   * Builds (or rebuilds) a template. Concurrent calls for one template share one build. Half-built
   * templates are never visible.
   * @throws SandportFault `template_not_found`, `template_build_failed`, `disk_full`
   */
  build(
    name: TemplateName,
    options?: { onProgress?: (line: string) => void; signal?: AbortSignal },
  ): Promise<TemplateInfo>;
}

export interface VolumeStore {
  /** Makes it when it is missing. Idempotent. */
  ensure(namespace: Namespace, name: VolumeName): Promise<void>;
  /** Deletes the data. Idempotent. The engine has checked that nobody mounts it. */
  remove(namespace: Namespace, name: VolumeName): Promise<void>;
}
