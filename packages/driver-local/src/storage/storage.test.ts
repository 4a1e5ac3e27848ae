import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createBtrfsImage,
  enableQuota,
  findProgram,
  mountBtrfsImage,
  unmount,
} from '@sandport/linux';
import { describe, test } from 'vitest';
import { readPrivileges } from '../machine/privileges.ts';
import { BtrfsStorage } from './btrfs-storage.ts';
import { storageConformance } from '../testing/storage-conformance.ts';
import { OverlayStorage } from './overlay-storage.ts';

const isRoot = process.getuid?.() === 0;
// The same capability.
const mayResize = readPrivileges().lowerOomScore;
const scratch = () => mkdtempSync(join(tmpdir(), 'sandport-storage-'));

/** Files in the places, and loop devices on them. */
function overlayLeftovers(directory: string): string[] {
  const files = readdirSync(directory).flatMap((name) => readdirSync(join(directory, name)));
  const loops = execFileSync('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE']);
  const devices = loops.toString().split('\n');
  return [...files, ...devices.filter((each) => each.startsWith(directory))];
}

describe.skipIf(!isRoot)('disks', () => {
  storageConformance('overlay', async () => {
    const directory = scratch();
    return {
      storage: new OverlayStorage(),
      cannotGrow: mayResize ? undefined : 'a mounted ext4 grows only with CAP_SYS_RESOURCE',
      directory,
      leftovers: async () => overlayLeftovers(directory),
      close: async () => rmSync(directory, { recursive: true }),
    };
  });

  if (findProgram('mkfs.btrfs') === undefined) test.skip('btrfs-progs is not installed', () => {});
  else
    storageConformance('btrfs', async () => {
      const directory = scratch();
      const image = join(directory, 'image');
      const pool = join(directory, 'pool');
      const places = join(directory, 'places');
      mkdirSync(pool);
      mkdirSync(places);
      await createBtrfsImage({ file: image, sizeBytes: 2 ** 31 });
      await mountBtrfsImage(image, pool);
      await enableQuota(pool);
      return {
        storage: new BtrfsStorage(pool),
        directory: places,
        leftovers: async () => [...readdirSync(pool), ...overlayLeftovers(places)],
        close: async () => {
          unmount(pool);
          rmSync(directory, { recursive: true });
        },
      };
    });
});
