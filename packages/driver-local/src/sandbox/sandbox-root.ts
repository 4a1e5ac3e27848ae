import { existsSync } from 'node:fs';
import type { FileOwner, SandboxFiles, SandboxSpec } from '@sandport/driver';
import type { RootedFs } from '@sandport/linux';
import type { DriverContext } from '../context.ts';
import { LayerChanges } from '../files/changes.ts';
import { RootedSandboxFiles } from '../files/sandbox-files.ts';
import type { SandboxLayout } from '../layout.ts';
import type { TemplateVersion } from '../templates/version.ts';
import type { SandboxRecord } from './record.ts';
import { makeGate, mountRoot, openRoot, unmountRoot } from './root-mount.ts';
import { mountVolumes } from './volume-mounts.ts';

export interface SandboxRootOptions {
  readonly layout: SandboxLayout;
  readonly record: Pick<SandboxRecord, 'isolation' | 'idBase' | 'guestIds'>;
  readonly template: Pick<TemplateVersion, 'rootPath'>;
  /** Owns new files where nothing else is asked for. */
  readonly owner: FileOwner;
}

/**
 * The mounted disk of a sandbox, open for the daemon's own file access. It lives through pause,
 * hibernation, death and fork, and its `files` with it.
 */
export class SandboxRoot {
  readonly fs: RootedFs;
  readonly files: SandboxFiles;
  #owner: FileOwner;

  private constructor(fs: RootedFs, options: SandboxRootOptions) {
    const { layout, template, record } = options;
    this.fs = fs;
    this.#owner = options.owner;
    const current = () => this.#owner;
    const owner = {
      get uid() {
        return current().uid;
      },
      get gid() {
        return current().gid;
      },
    };
    this.files = new RootedSandboxFiles({
      root: fs,
      owner,
      changes: new LayerChanges(fs, {
        upper: layout.upper,
        template: template.rootPath,
        idBase: record.guestIds ? 0 : record.idBase,
      }),
    });
  }

  /** Opens a root that is mounted. */
  static open(options: SandboxRootOptions): SandboxRoot {
    return new SandboxRoot(openRoot(options.layout, options.record.idBase), options);
  }

  /**
   * Mounts the root over the disk that is there, with the volumes in it, and opens it. What an
   * earlier mount left is taken away. On failure nothing is mounted.
   * @param beforeVolumes is called between the two mounts
   */
  static async mount(
    context: DriverContext,
    spec: Pick<SandboxSpec, 'namespace' | 'volumes'>,
    options: SandboxRootOptions,
    beforeVolumes?: () => void,
  ): Promise<SandboxRoot> {
    const { layout, template, record } = options;
    const { idBase, guestIds, isolation } = record;
    const namespaceFd =
      isolation === 'container' ? await context.ranges.namespaceOf(idBase) : undefined;
    let root: SandboxRoot | undefined;
    try {
      if (existsSync(layout.gate)) await unmountRoot(layout);
      makeGate(layout, idBase);
      await mountRoot({ layout, templateRoot: template.rootPath, idBase, namespaceFd, guestIds });
      root = SandboxRoot.open(options);
      beforeVolumes?.();
      await mountVolumes(spec, context.volumes, root.fs, namespaceFd);
      return root;
    } catch (error) {
      root?.close();
      await unmountRoot(layout);
      throw error;
    }
  }

  /** Who owns new files from here on. */
  setOwner(owner: FileOwner): void {
    this.#owner = owner;
  }

  /** Ends the file access; the mount stays. Idempotent. */
  close(): void {
    this.fs.close();
  }
}
