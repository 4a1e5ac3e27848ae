import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { withFileOwner } from './credential-calls.ts';

const directory = mkdtempSync(join(tmpdir(), 'sandport-owner-'));
afterAll(() => rmSync(directory, { recursive: true }));

// Ids above 2^31 are those that a signed return value would turn negative.
test.each([1, 65_536, 2 ** 31, 2 ** 32 - 2])('files belong to the id %i', (id) => {
  const file = join(directory, String(id));
  withFileOwner(id, id - 1, () => writeFileSync(file, ''));
  expect(statSync(file)).toMatchObject({ uid: id, gid: id - 1 });
  writeFileSync(`${file}-after`, '');
  expect(statSync(`${file}-after`)).toMatchObject({ uid: 0, gid: 0 });
});
