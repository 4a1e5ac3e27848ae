import { closeSync } from 'node:fs';
import { type ScannedEntry, scanEntries } from '../rooted-fs/scan-directory.ts';
import { isTemporaryName } from '../rooted-fs/temporary-file.ts';
import type { TimeSlice } from '../rooted-fs/time-slice.ts';
import type { WatchNode, WatchTree } from './watch-tree.ts';

export interface ScanTreeOptions {
  /** Also where directories are watched already. @default false */
  readonly again?: boolean;
  /** Told of every entry, a directory before what is in it. @default nobody */
  readonly onEntry?: (node: WatchNode, entry: ScannedEntry) => void;
  readonly slice: TimeSlice;
  /** Ends it early. */
  readonly isOver: () => boolean;
}

/**
 * Watches all directories below some that are watched. Each is watched before it is read, so that
 * nothing that comes meanwhile is missed.
 * @returns false when some directories are not watched @throws SystemError
 */
export async function scanTree(
  tree: WatchTree,
  start: readonly WatchNode[],
  { again = false, onEntry, slice, isOver }: ScanTreeOptions,
): Promise<boolean> {
  const pending = start.toReversed();
  let isComplete = true;
  for (let node = pending.pop(); node !== undefined && !isOver(); node = pending.pop()) {
    const fd = node.isGone ? undefined : tree.open(node);
    if (fd === undefined) continue;
    try {
      const found: WatchNode[] = [];
      for await (const batch of scanEntries(fd)) {
        // The tree's descriptors may be closed by now.
        if (isOver()) return isComplete;
        for (const entry of batch) {
          if (node.isGone || isTemporaryName(entry.name)) continue;
          onEntry?.(node, entry);
          if (entry.type !== 'directory') continue;
          const attached = tree.attach(node, entry.name);
          if (attached === 'full') isComplete = false;
          else if (attached !== 'absent' && (attached.isNew || again)) found.push(attached.node);
        }
        if (slice.isOver) await slice.yield();
      }
      pending.push(...found.toReversed());
    } finally {
      closeSync(fd);
    }
    if (slice.isOver) await slice.yield();
  }
  return isComplete;
}
