import type { Network, SandboxId, TemplateName } from '@sandport/protocol';
import type { SandboxLimits } from './driver.ts';

/** A template as the driver knows it. */
export interface TemplateInfo {
  readonly name: TemplateName;
  readonly description: string;
  readonly status: 'ready' | 'absent' | 'building' | 'failed';
  /** Version that new sandboxes get; undefined before the first build. */
  readonly version?: string | undefined;
  /** What it is made of, for people: "Debian packages", the reference of an image. */
  readonly source: string;
  /** False: it comes with Sandport and can be built, not removed. */
  readonly removable: boolean;
  /** Bytes on disk of all its versions, 0 before it is built. */
  readonly sizeBytes: number;
  readonly builtAt?: Date | undefined;
  /** Defaults for sandboxes. */
  readonly user: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: SandboxLimits;
  /** Undefined: it says nothing of networks. */
  readonly network?: Network | undefined;
}

/** What a new version of a template is made of. */
export type TemplateSource =
  /** The recipe that comes with Sandport under this name. */
  | { readonly kind: 'recipe' }
  /** Debian packages beside those of `base`. */
  | { readonly kind: 'packages'; readonly packages: readonly string[] }
  /** An image in a registry, as `docker.io/library/alpine:3.20`. */
  | {
      readonly kind: 'image';
      readonly reference: string;
      /** `user:password` for the registry. */
      readonly credentials?: string | undefined;
      /** True: the registry is spoken to without TLS. */
      readonly insecure?: boolean | undefined;
    }
  /** A file on this machine: `docker save`, an OCI archive, or a tar of an OCI layout; or a layout's directory. */
  | { readonly kind: 'archive'; readonly path: string }
  /** A directory on this machine with a Dockerfile. */
  | {
      readonly kind: 'dockerfile';
      readonly context: string;
      /** Below `context`. @default 'Dockerfile' */
      readonly dockerfile?: string | undefined;
    }
  /** The disk of a sandbox, running or not. */
  | { readonly kind: 'sandbox'; readonly sandbox: SandboxId };

/** Defaults that a template gets instead of those of its source. */
export interface TemplateDefaults {
  readonly description?: string | undefined;
  readonly user?: string | undefined;
  readonly workdir?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly limits?: Partial<SandboxLimits> | undefined;
  readonly network?: Network | undefined;
}

export interface BuildTemplateOptions {
  /** @default { kind: 'recipe' } */
  readonly source?: TemplateSource;
  readonly defaults?: TemplateDefaults;
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface TemplateStore {
  list(): Promise<readonly TemplateInfo[]>;

  /**
   * Builds a new version of a template. Concurrent calls for one template with the same source
   * share one build; others wait for their turn. Half-built versions are never visible. Sandboxes
   * and snapshots keep the version they stand on; one that nobody needs any more is removed.
   * @throws SandportFault `template_not_found`, `template_build_failed`, `invalid_image`,
   * `tool_missing`, `disk_full`, `sandbox_not_found`
   */
  build(name: TemplateName, options?: BuildTemplateOptions): Promise<TemplateInfo>;

  /**
   * New sandboxes cannot have it any more; those that do keep it. Idempotent.
   * @throws SandportFault `template_not_removable`
   */
  remove(name: TemplateName): Promise<void>;
}
