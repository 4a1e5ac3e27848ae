import type { TemplateDefaults, TemplateSource } from '@sandport/driver';
import type { BuildTemplate, SandboxId } from '@sandport/protocol';

/** What a request names beside files that were uploaded and sandboxes. */
export interface NamedThings {
  /** Path of the uploaded archive. */
  readonly archivePath?: string | undefined;
  readonly sandbox?: SandboxId | undefined;
}

/** The source of a build in the driver's words. */
export function sourceOf(request: BuildTemplate, named: NamedThings): TemplateSource {
  const { image, credentials, insecure, archive, dockerfile, packages } = request;
  if (image !== undefined) return { kind: 'image', reference: image, credentials, insecure };
  const path = archive ?? named.archivePath;
  if (path !== undefined) return { kind: 'archive', path };
  if (dockerfile !== undefined) return { kind: 'dockerfile', context: dockerfile };
  if (packages !== undefined) return { kind: 'packages', packages };
  if (named.sandbox !== undefined) return { kind: 'sandbox', sandbox: named.sandbox };
  return { kind: 'recipe' };
}

/** What the request sets instead of what the source says. */
export function defaultsOf(request: BuildTemplate): TemplateDefaults {
  const { description, user, workdir, env, resources, network } = request;
  const { cpu, memory_mb: memoryMb, disk_mb: diskMb, pids } = resources ?? {};
  return {
    description,
    user,
    workdir,
    env,
    network,
    limits: {
      ...(cpu === undefined ? {} : { cpu }),
      ...(memoryMb === undefined ? {} : { memoryBytes: memoryMb * 2 ** 20 }),
      ...(diskMb === undefined ? {} : { diskBytes: diskMb * 2 ** 20 }),
      ...(pids === undefined ? {} : { pids }),
    },
  };
}
