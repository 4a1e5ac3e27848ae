import { closeSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ByteString } from '../ffi/byte-string.ts';
import { AT_FDCWD, O_DIRECTORY, O_PATH, RESOLVE_NO_MAGICLINKS } from '../ffi/constants.ts';
import { openat2 } from '../ffi/file-calls.ts';
import { mountOverlay } from './overlay.ts';
import { attachTree, createIdMappedTree, unmount } from './trees.ts';
import { createUserNamespace } from './user-namespace.ts';

/** What this machine can do; `reason` says why not. */
export interface ProbeResult {
  readonly works: boolean;
  readonly reason?: string;
}

const YES: ProbeResult = { works: true };

function no(error: unknown): ProbeResult {
  return { works: false, reason: error instanceof Error ? error.message : String(error) };
}

/** Whether the kernel has openat2 (5.6), without which no file is served. Never throws. */
export function probeOpenat2(): ProbeResult {
  try {
    closeSync(openat2(AT_FDCWD, '/' as ByteString, O_PATH | O_DIRECTORY, RESOLVE_NO_MAGICLINKS));
    return YES;
  } catch (error) {
    return no(error);
  }
}

/** Whether overlays can be mounted on the file system of `directory`. Never throws. */
export async function probeOverlay(directory: string): Promise<ProbeResult> {
  return inScratch(directory, async (scratch) => {
    mountScratchOverlay(scratch, join(scratch, 'lower'));
    await writeFile(join(scratch, 'merged', 'file'), 'x');
  });
}

/** Whether an overlay takes an id-mapped mount as its lower layer there. Never throws. */
export async function probeIdMappedOverlay(directory: string): Promise<ProbeResult> {
  return inScratch(directory, async (scratch) => {
    const base = 1_000_000;
    const userNamespaceFd = await createUserNamespace({ base, count: 65536 });
    try {
      const source = join(scratch, 'lower');
      const tree = createIdMappedTree({ source, userNamespaceFd, readOnly: true });
      try {
        attachTree(tree, { path: join(scratch, 'mapped') });
      } finally {
        closeSync(tree);
      }
    } finally {
      closeSync(userNamespaceFd);
    }
    mountScratchOverlay(scratch, join(scratch, 'mapped'));
    const { uid } = await stat(join(scratch, 'merged', 'owned'));
    if (uid !== base) throw new Error(`an owner was mapped to ${uid} instead of ${base}`);
  });
}

function mountScratchOverlay(scratch: string, lower: string): void {
  const upper = join(scratch, 'upper');
  const work = join(scratch, 'work');
  const target = join(scratch, 'merged');
  mountOverlay({ lower: [lower], upper, work, target });
}

async function inScratch(
  directory: string,
  attempt: (scratch: string) => Promise<void>,
): Promise<ProbeResult> {
  let scratch: string | undefined;
  try {
    scratch = await mkdtemp(join(directory, '.sandport-probe-'));
    for (const name of ['lower', 'mapped', 'upper', 'work', 'merged']) {
      await mkdir(join(scratch, name));
    }
    await writeFile(join(scratch, 'lower', 'owned'), '');
    await attempt(scratch);
    return YES;
  } catch (error) {
    return no(error);
  } finally {
    if (scratch !== undefined) await cleanScratch(scratch);
  }
}

async function cleanScratch(scratch: string): Promise<void> {
  try {
    unmount(join(scratch, 'merged'), { detach: true });
    unmount(join(scratch, 'mapped'), { detach: true });
    await rm(scratch, { recursive: true, force: true });
  } catch {
    // A probe answers; what it could not clean holds empty files only.
  }
}
