import { randomBytes } from 'node:crypto';
import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Layout } from '../layout.ts';
import type { DiskPlace } from './storage.ts';

/** Everywhere that a disk of the data directory can be. */
export function diskPlaces(layout: Layout): DiskPlace[] {
  const { sandboxes, snapshots, staging, trash, volumes } = layout;
  const namespaces = subdirectories(volumes).map((name) => join(volumes, name));
  return [sandboxes, snapshots, staging, trash, ...namespaces].flatMap((parent) =>
    subdirectories(parent).map((name) => ({ directory: join(parent, name) })),
  );
}

/** Moves what a daemon that ended half-way had begun to the trash. */
export function emptyStaging({ staging, trash }: Layout): void {
  for (const name of subdirectories(staging)) moveToTrash(join(staging, name), trash);
}

/** Lets a directory vanish in one step; what empties the trash deletes it. @returns its new name */
export function moveToTrash(directory: string, trash: string): string {
  const name = `gone-${randomBytes(8).toString('hex')}`;
  renameSync(directory, join(trash, name));
  return name;
}

function subdirectories(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return [];
  }
}
