import { readdirSync, rmSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import type { SandboxLayout } from '../layout.ts';

/** File that gVisor writes into the directory of an image. */
const imageFile = 'checkpoint.img';

/** Directory of an image that a record names. */
export const imageDirOf = (layout: SandboxLayout, image: string): string =>
  join(layout.directory, image);

/** How a record names the directory of an image. */
export const imageNameOf = (layout: SandboxLayout, imageDir: string): string =>
  relative(layout.directory, imageDir);

/** Whether there is an image; it may be cut off. */
export const hasImage = (layout: SandboxLayout, image: string): boolean =>
  (statSync(join(imageDirOf(layout, image), imageFile), { throwIfNoEntry: false })?.size ?? 0) > 0;

/** Begins the names of images that serve only while a sandbox stands still. */
export const takenImagePrefix = 'taken-';

/** Removes the images that lie with the sandbox, but the one that is named. */
export function removeMemoryExcept(layout: SandboxLayout, image: string | undefined): void {
  const isImage = (name: string) =>
    name.startsWith(takenImagePrefix) || name === basename(layout.memory);
  for (const name of readdirSync(layout.directory))
    if (isImage(name) && name !== image)
      rmSync(join(layout.directory, name), { recursive: true, force: true });
}

const longestReason = 200;

/** One line for people of what a runtime said, which can be pages of its own state. */
export function shortReason(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n', 1);
  if (/gofer\.dentry|deleted and invalidated/.test(line))
    return 'a process held a file that was removed at that moment';
  return line.length > longestReason ? `${line.slice(0, longestReason)}…` : line;
}
