import { closeSync } from 'node:fs';
import { type ScannedEntry, scanEntries } from '../rooted-fs/walk/scan-directory.ts';
import { isTemporaryName } from '../rooted-fs/write/temporary-file.ts';
import type { TimeSlice } from '../time-slice.ts';
import type { WatchNode, WatchTree } from './watch-tree.ts';

export interface ScanVisitor {
  /** Told of every entry. @returns the directory that it is, when that is to be scanned too */
  found(node: WatchNode, entry: ScannedEntry): WatchNode | undefined;
  /** A directory that is not where the tree has it. */
  lost(node: WatchNode): void;
  /** True ends it early. */
  isOver(): boolean;
}

/**
 * Reads directories and, as the visitor says, those below them. Each is watched before it is read,
 * so that nothing that comes meanwhile is missed.
 * @throws SystemError
 */
export async function scanTree(
  tree: WatchTree,
  start: readonly WatchNode[],
  visitor: ScanVisitor,
  slice: TimeSlice,
): Promise<void> {
  const pending = start.toReversed();
  for (let node = pending.pop(); node !== undefined && !visitor.isOver(); node = pending.pop()) {
    if (node.isGone) continue;
    const fd = tree.open(node);
    if (fd === undefined) {
      visitor.lost(node);
      continue;
    }
    try {
      const found: WatchNode[] = [];
      for await (const batch of scanEntries(fd)) {
        // The tree's descriptors may be closed by now.
        if (visitor.isOver()) return;
        for (const entry of batch) {
          if (node.isGone || isTemporaryName(entry.name)) continue;
          const child = visitor.found(node, entry);
          if (child !== undefined) found.push(child);
        }
        if (slice.isOver) await slice.yield();
      }
      for (const child of found.toReversed()) pending.push(child);
    } finally {
      closeSync(fd);
    }
    if (slice.isOver) await slice.yield();
  }
}
