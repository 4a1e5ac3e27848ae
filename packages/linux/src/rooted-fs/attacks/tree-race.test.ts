import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { answerOf } from '../../testing/file-helpers.ts';
import { type Scratch, scratchInMemory, scratchOnDisk } from '../../testing/scratch.ts';
import { RootedFs } from '../rooted-fs.ts';
import { CANARY_TEXT, Canary } from './canary.ts';
import { whileSwapping } from './while-swapping.ts';

let scratches: Scratch[];
let canary: Canary;
let race: string;
let fs: RootedFs;

beforeEach(() => {
  const memory = scratchInMemory();
  const disk = scratchOnDisk();
  scratches = [memory, disk];
  canary = new Canary(join(disk.path, 'outside'));
  const root = join(memory.path, 'root');
  race = join(root, 'race');
  mkdirSync(race, { recursive: true });
  fs = RootedFs.open(root, { hiddenAreas: [] });
});

afterEach(() => {
  fs.close();
  for (const scratch of scratches) scratch[Symbol.dispose]();
});

const owner = { uid: 0, gid: 0 };
const attributes = { mode: 0o755, owner, mtimeNs: 1_000_000_000n };
const name = (text: string) => Buffer.from(text);

/** A directory `x` and a symlink to the canary, which change places all the time. */
function plantSwaps(target: string): string[] {
  mkdirSync(join(race, 'x/sub'), { recursive: true });
  writeFileSync(join(race, 'x/secret.txt'), 'inside');
  writeFileSync(join(race, 'x/sub/file'), 'inside');
  symlinkSync(target, join(race, 'link'));
  writeFileSync(join(race, 'file'), 'inside');
  symlinkSync(join(target, 'secret.txt'), join(race, 'file-link'));
  return ['x', 'link', 'file', 'file-link'];
}

const targets = {
  'an absolute symlink': () => canary.directory,
  'a climbing symlink': () => relative(race, canary.directory),
};

for (const [kind, targetOf] of Object.entries(targets)) {
  test(`a tree is written beside a swap with ${kind}`, { timeout: 60_000 }, async () => {
    const pairs = plantSwaps(targetOf());
    const answers = new Map<string, number>();
    const note = (operation: string, answer: string) =>
      answers.set(`${operation} ${answer}`, (answers.get(`${operation} ${answer}`) ?? 0) + 1);
    const swaps = await whileSwapping(race, pairs, 6000, async (round) => {
      using writer = fs.writeTree('/race');
      const run = async (operation: string, action: () => unknown) =>
        note(operation, await answerOf(action));
      await run('directory', () => writer.directory(name('x'), attributes, { chown: true }));
      await run('deeper', () => writer.directory(name('x/sub/deeper'), attributes));
      await run('file', () => writer.file(name('x/victim'), attributes, name('inside')));
      await run('over', () => writer.file(name('file'), attributes, name('inside')));
      await run('stream', async () => {
        const file = writer.beginFile(name('x/sub/stream'), attributes);
        try {
          file.stream.end('inside');
          await new Promise((resolve) => file.stream.on('finish', resolve));
          file.commit();
        } finally {
          await file.abort();
        }
      });
      await run('symlink', () => writer.symlink(name('x/sub/l'), attributes, name('secret.txt')));
      await run('link', () => writer.hardLink(name(`x/hard`), name('x/victim')));
      await run('link out', () => writer.hardLink(name('stolen'), name('x/secret.txt')));
      await run('finish', () => writer.finish());
      if (round % 8 === 0) await answerOf(() => fs.remove('/race/x/victim'));
    });
    canary.expectUntouched();
    expect(swaps).toBeGreaterThan(1000);
    // The swapped name was met as both, and the file that was there was never linked to.
    expect(answers.get('file undefined')).toBeGreaterThan(0);
    expect(answers.get('file unsafe')).toBeGreaterThan(0);
    expect(answers.get('link out undefined')).toBeUndefined();
  });

  test(`a tree is walked beside a swap with ${kind}`, { timeout: 60_000 }, async () => {
    const pairs = plantSwaps(targetOf());
    const seen = new Set<string>();
    const swaps = await whileSwapping(race, pairs, 5000, async () => {
      for await (const entry of fs.walk('/')) {
        seen.add(`${entry.relativePath} ${entry.stat.type}`);
        await using file = entry.openFile();
        if (file === undefined) continue;
        expect(String(file.readSmall(1000))).not.toContain(CANARY_TEXT);
        expect(String(await buffer(file.stream()))).toBe('inside');
      }
      for await (const entry of fs.walk('/race', { after: name('x/sub') })) {
        seen.add(`after: ${entry.relativePath}`);
      }
    });
    canary.expectUntouched();
    expect(swaps).toBeGreaterThan(1000);
    expect(seen).toContain('race/x directory');
    expect(seen).toContain('race/x symlink');
    expect(seen).toContain('race/x/sub/file file');
    const inside = [...seen].filter((each) => /secret|kept/.test(each));
    expect(inside.every((each) => /(race\/)?(x|link)\/secret.txt/.test(each))).toBe(true);
  });
}
