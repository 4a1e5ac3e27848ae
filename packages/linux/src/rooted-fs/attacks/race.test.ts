import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { answerOf, appendFile, list, readFile, writeFile } from '../../testing/file-helpers.ts';
import { type Scratch, scratchInMemory, scratchOnDisk } from '../../testing/scratch.ts';
import { errnoOf } from '../../ffi/system-error.ts';
import { RootedFs } from '../rooted-fs.ts';
import { CANARY_TEXT, Canary } from './canary.ts';
import { whileSwapping } from './while-swapping.ts';

let scratches: Scratch[];
let canary: Canary;
let root: string;

beforeEach(() => {
  const memory = scratchInMemory();
  const disk = scratchOnDisk();
  scratches = [memory, disk];
  canary = new Canary(join(disk.path, 'outside'));
  root = join(memory.path, 'root');
  mkdirSync(join(root, 'race'), { recursive: true });
});

afterEach(() => {
  for (const scratch of scratches) scratch[Symbol.dispose]();
});

class Tally {
  readonly answers = new Map<string, number>();

  async note(operation: string, run: () => unknown): Promise<void> {
    const answer = await answerOf(run);
    expect(answer).not.toContain(CANARY_TEXT);
    const key = `${operation}: ${answer}`;
    this.answers.set(key, (this.answers.get(key) ?? 0) + 1);
  }

  countOf(key: string): number {
    return this.answers.get(key) ?? 0;
  }
}

const escapes: Record<string, (outside: string) => string> = {
  'an absolute symlink': (outside) => outside,
  'a climbing symlink': (outside) => relative(join(root, 'race'), outside),
};

for (const [name, targetOf] of Object.entries(escapes)) {
  test(`a directory swapped with ${name} leads nowhere`, { timeout: 60_000 }, async () => {
    const race = join(root, 'race');
    for (const directory of ['x', 'x/sub']) mkdirSync(join(race, directory));
    writeFileSync(join(race, 'x/secret.txt'), 'inside');
    symlinkSync(targetOf(canary.directory), join(race, 'link'));
    writeFileSync(join(race, 'file'), 'inside');
    symlinkSync(join(targetOf(canary.directory), 'secret.txt'), join(race, 'file-link'));
    const fs = RootedFs.open(root, { hiddenAreas: [] });
    const tally = new Tally();
    const over = { overwrite: true };
    const all = { recursive: true };
    const pairs = ['x', 'link', 'file', 'file-link'];
    const swaps = await whileSwapping(race, pairs, 7000, async (round) => {
      await tally.note('read', () => readFile(fs, '/race/x/secret.txt'));
      await tally.note('read', () => readFile(fs, '/race/x/../x/./secret.txt'));
      await tally.note('read file', () => readFile(fs, '/race/file'));
      await tally.note('stat', () => fs.stat('/race/x/secret.txt').type);
      await tally.note('list', async () => (await list(fs, '/race/x')).length > 0);
      await tally.note('mkdir', () => fs.makeDirectory('/race/x/sub/deeper'));
      await tally.note('write', async () => {
        await writeFile(fs, '/race/x/sub/file', 'inside', { createParents: false });
      });
      await tally.note('replace', async () => void (await writeFile(fs, '/race/file', 'inside')));
      await tally.note('create', async () => {
        await writeFile(fs, `/race/x/victim`, 'inside', { createParents: round % 2 === 0 });
      });
      await tally.note('append', () => appendFile(fs, '/race/file', 'inside'));
      await tally.note('append below', () => appendFile(fs, '/race/x/victim', 'inside'));
      await tally.note('chmod', () => fs.chmod('/race/x', 0o755, { recursive: true }));
      await tally.note('chmod file', () => fs.chmod('/race/file', 0o644));
      await tally.note('chown', () => fs.chown('/race/x', { uid: 0 }, { recursive: true }));
      await tally.note('touch', () => fs.touch('/race/x/secret.txt', { mtimeNs: 1n }));
      await tally.note('touch new', () => fs.touch('/race/x/touched'));
      await tally.note('symlink', () => fs.symlink('/race/x/sub/link', '/', { overwrite: true }));
      await tally.note('usage', async () => (await fs.usage('/race/x')).sizeBytes < 1_000_000);
      await tally.note('copy', () => fs.copy('/race/x', `/race/copy-${round % 5}`));
      await tally.note('copy file', () => fs.copy('/race/file', '/race/x/copied', over));
      await tally.note('move', () => fs.move('/race/x/sub', '/race/x/moved', over));
      await tally.note('move back', () => fs.move('/race/x/moved', '/race/x/sub', over));
      await tally.note('remove copy', () => fs.remove(`/race/copy-${round % 5}`, all));
      await tally.note('remove', () => fs.remove('/race/x/victim'));
      await tally.note('remove sub', () => fs.remove('/race/x/sub', { recursive: true }));
    });
    fs.close();
    canary.expectUntouched();
    expect(swaps).toBeGreaterThan(1000);
    // The race was a race: the swapped name was met as both.
    expect(tally.countOf('read: inside')).toBeGreaterThan(0);
    expect(tally.answers.size).toBeGreaterThan(8);
  });
}

test('entries of a tree that is removed swapped with symlinks', { timeout: 60_000 }, async () => {
  const fs = RootedFs.open(root, { hiddenAreas: [] });
  const race = join(root, 'race');
  mkdirSync(join(race, 'keep'));
  writeFileSync(join(race, 'keep/precious'), 'precious');
  const indexes = Array.from({ length: 12 }, (_, index) => index);
  // Each of them is a full directory at one moment and leads to the canary at the next.
  const pairs = indexes.flatMap((index) => [`doomed/in-${index}`, `link-${index}`]);
  const answers = new Map<string, number>();
  const swaps = await whileSwapping(race, pairs, 6000, async () => {
    for (const index of indexes) {
      await answerOf(() => fs.makeDirectory(`/race/doomed/in-${index}/sub`));
      if (index % 6 === 0)
        await answerOf(() => writeFile(fs, `/race/doomed/in-${index}/sub/file`, 'doomed'));
      symlinkUnlessTaken(canary.directory, join(race, `link-${index}`));
    }
    const answer = await answerOf(() => fs.remove('/race/doomed', { recursive: true }));
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
  });
  fs.close();
  expect(swaps).toBeGreaterThan(100);
  expect(readFileSync(join(race, 'keep/precious'), 'utf8')).toBe('precious');
  canary.expectUntouched();
  expect(['undefined', 'not_found', 'not_empty', 'busy']).toEqual(
    expect.arrayContaining([...answers.keys()]),
  );
});

test('a tree that is copied swapped with symlinks', { timeout: 60_000 }, async () => {
  const fs = RootedFs.open(root, { hiddenAreas: [] });
  const race = join(root, 'race');
  const indexes = Array.from({ length: 12 }, (_, index) => index);
  for (const index of indexes) {
    mkdirSync(join(race, `tree/in-${index}/sub`), { recursive: true });
    for (const name of ['secret.txt', 'sub/file']) {
      writeFileSync(join(race, `tree/in-${index}`, name), 'inside');
    }
    symlinkSync(canary.directory, join(race, `link-${index}`));
  }
  const pairs = indexes.flatMap((index) => [`tree/in-${index}`, `link-${index}`]);
  const texts = new Set<string>();
  const swaps = await whileSwapping(race, pairs, 6000, async () => {
    await answerOf(() => fs.copy('/race/tree', '/race/copy'));
    await answerOf(() => fs.chmod('/race/tree', 0o711, { recursive: true }));
    for (const index of indexes) {
      texts.add(await answerOf(() => readFile(fs, `/race/copy/in-${index}/secret.txt`)));
    }
    await answerOf(() => fs.remove('/race/copy', { recursive: true }));
  });
  fs.close();
  expect(swaps).toBeGreaterThan(100);
  canary.expectUntouched();
  expect(['inside', 'not_found', 'not_a_directory']).toEqual(expect.arrayContaining([...texts]));
  expect(texts).toContain('inside');
});

function symlinkUnlessTaken(target: string, path: string): void {
  try {
    symlinkSync(target, path);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}
