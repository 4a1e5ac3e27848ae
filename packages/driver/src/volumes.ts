import type { Namespace, VolumeName } from '@sandport/protocol';
import type { SandboxFiles } from './files/index.ts';

export interface VolumeUsage {
  readonly usedBytes: number;
  /** Undefined: no limit but the disk of the machine. */
  readonly sizeBytes?: number | undefined;
}

export interface VolumeStore {
  /**
   * Makes it when it is missing. Idempotent; the size of one that is there does not change.
   * @param options.sizeBytes most that it can hold; undefined: no limit
   * @throws SandportFault `disk_full`
   */
  ensure(
    namespace: Namespace,
    name: VolumeName,
    options?: { readonly sizeBytes?: number | undefined },
  ): Promise<void>;

  /** Its files, whether sandboxes mount it or not; owners are ids of guests. Closed by `remove`. */
  files(namespace: Namespace, name: VolumeName): Promise<SandboxFiles>;

  usage(namespace: Namespace, name: VolumeName): Promise<VolumeUsage>;

  /** Deletes the data. Idempotent. The engine has checked that nobody mounts it. */
  remove(namespace: Namespace, name: VolumeName): Promise<void>;
}
