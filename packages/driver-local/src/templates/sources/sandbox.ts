import { mkdirSync } from 'node:fs';
import type { SandboxSpec } from '@sandport/driver';
import { RootedFs } from '@sandport/linux';
import type { SandboxId } from '@sandport/protocol';
import { isOfGvisorStart } from '../../sandbox/gvisor-root.ts';
import { imageLimits } from '../images/check-layers.ts';
import { baseRecipe } from '../recipes/base.ts';
import { removeAny, typeOf } from '../root-files.ts';
import { runConfined } from '../tools/run-confined.ts';
import type { TemplateVersion } from '../version.ts';
import type { RootSource } from './root-source.ts';

/** What a sandbox stood on and what it has changed, frozen. Owners are ids of the guest. */
export interface SandboxDisk {
  /** Upper layer of an overlay. */
  readonly layer: string;
  readonly template: TemplateVersion;
  readonly spec: Pick<SandboxSpec, 'user' | 'workdir' | 'limits'>;
}

export interface SandboxDisks {
  /** Nothing changes the disk until `read` has ended. @throws SandportFault `sandbox_not_found` */
  lend<T>(
    sandbox: SandboxId,
    read: (disk: SandboxDisk) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T>;
}

const timeoutMs = 60 * 60_000;

/** What no file, directory or symlink is, no sandbox needs. */
const script = `
cp -a --one-file-system /merged/. /root
find /root -xdev ! -type f ! -type d ! -type l -delete
`;

/** Files by which a start in gVisor is prepared. */
const gvisorFiles = ['/etc/ld.so.preload', '/usr/lib/sandport-preload.so'] as const;

/**
 * From the disk of a sandbox, without its volumes, its processes and its own environment. A guest
 * wrote what is copied; it changes no more, and the program that copies it sees nothing else.
 */
export const sandboxSource =
  (sandbox: SandboxId, disks: SandboxDisks): RootSource =>
  ({ directory, rootPath, onLine, signal }) =>
    disks.lend(
      sandbox,
      async ({ layer, template, spec }) => {
        mkdirSync(rootPath, { mode: 0o755 });
        onLine(`copying the disk of the sandbox ${sandbox}`);
        await runConfined('sh', ['-ec', script], {
          directory,
          paths: [
            { source: layer, target: '/layers/upper' },
            { source: template.rootPath, target: '/layers/template' },
            { source: rootPath, target: '/root', writable: true },
          ],
          merged: { layers: ['/layers/upper', '/layers/template'], target: '/merged' },
          maxFileBytes: imageLimits.maxBytes,
          timeoutMs,
          onLine,
          signal,
          failureIn: (line) =>
            /^(cp|find|mount|sh|setpriv|unshare): /.test(line) ? line : undefined,
        });
        await removeGvisorFiles(rootPath);
        const { user, workdir, limits } = spec;
        return {
          finish: { user: baseRecipe.user, directories: baseRecipe.directories },
          source: `sandbox ${sandbox}`,
          user,
          workdir,
          env: template.record.env,
          limits,
        };
      },
      signal,
    );

async function removeGvisorFiles(rootPath: string): Promise<void> {
  using root = RootedFs.open(rootPath);
  const [list, library] = gvisorFiles;
  // A guest's own list may name the library too.
  if (typeOf(root, list) !== 'file' || !isOfGvisorStart(root, list)) return;
  await root.remove(list);
  await removeAny(root, library);
}
