import type { OnProgress, SignalOptions } from '../filesystem/progress.ts';
import { resourcesBody, type SandboxResources } from '../sandbox/create-options.ts';
import { networkBody, type SandboxNetwork } from '../sandbox/network-options.ts';

/**
 * What a template is made of. One source at most; without one, a template that comes with Sandport
 * is built from its recipe.
 */
export interface TemplateSource {
  /** Image in a registry, as `docker.io/library/alpine:3.20`. */
  image?: string | undefined;
  /** `user:password` for the registry. */
  credentials?: string | undefined;
  /** Speak to the registry without TLS. @default false */
  insecure?: boolean | undefined;
  /**
   * File or directory on this machine, which is sent to the daemon: the output of `docker save`, an
   * OCI archive, or an OCI layout.
   */
  archiveFile?: string | undefined;
  /** The same, on the machine of the daemon. */
  archive?: string | undefined;
  /** Directory on the machine of the daemon with a Dockerfile. */
  dockerfile?: string | undefined;
  /** Debian packages beside those of `base`. */
  packages?: readonly string[] | undefined;
  /** Sandbox whose disk it gets: its id or name. */
  fromSandbox?: string | { readonly id: string } | undefined;
}

export interface StartBuildOptions extends TemplateSource, SignalOptions {
  description?: string | undefined;
  /** @default what the source says */
  user?: string | undefined;
  workdir?: string | undefined;
  /** Added to what the source says. */
  env?: Readonly<Record<string, string>> | undefined;
  /** Limits of sandboxes that ask for none. */
  resources?: SandboxResources | undefined;
  /** Network of sandboxes that ask for none. @default what their namespace says */
  network?: SandboxNetwork | undefined;
  /** Make a new version of a template that is there. @default false */
  replace?: boolean | undefined;
  /** Sees the bytes of `archiveFile` as they go up. */
  onProgress?: OnProgress | undefined;
}

export interface BuildOptions extends StartBuildOptions {
  /** Called with each line of the build's log. */
  onLog?: ((line: string) => void) | undefined;
}

/** The API's body for a build. @param upload the archive that was sent */
export function buildBody(name: string, options: StartBuildOptions, upload: string | undefined) {
  const { image, credentials, insecure, archive, dockerfile, packages, fromSandbox } = options;
  const { description, user, workdir, env, resources, network, replace } = options;
  return {
    name,
    image,
    credentials,
    insecure,
    archive,
    upload,
    dockerfile,
    packages,
    from_sandbox: typeof fromSandbox === 'object' ? fromSandbox.id : fromSandbox,
    description,
    user,
    workdir,
    env,
    resources: resources && resourcesBody(resources),
    network: network && networkBody(network),
    replace,
    detach: true,
  };
}
