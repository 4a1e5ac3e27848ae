import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RootedFs } from '@sandport/linux';
import { parseGuestPath } from '@sandport/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LayerChanges } from './changes.ts';

let scratch: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'sandport-test-'));
});

afterEach(() => {
  rmSync(scratch, { recursive: true, force: true });
});

test('what vanishes while it is looked at does not end the list', async () => {
  for (const directory of ['root/etc', 'upper/etc', 'template/etc']) {
    mkdirSync(join(scratch, directory), { recursive: true });
  }
  // In the layer still, and gone from the root.
  writeFileSync(join(scratch, 'upper/etc/ld.so.preload'), '');
  writeFileSync(join(scratch, 'upper/etc/later'), '');
  using root = RootedFs.open(join(scratch, 'root'));
  const changes = new LayerChanges(root, {
    upper: join(scratch, 'upper'),
    template: join(scratch, 'template'),
    idBase: 0,
  });
  const paths: string[] = [];
  for await (const { change } of changes.list(parseGuestPath('/'))) paths.push(change.path);
  expect(paths).toEqual(['/etc/ld.so.preload', '/etc/later'].toSorted());
});
