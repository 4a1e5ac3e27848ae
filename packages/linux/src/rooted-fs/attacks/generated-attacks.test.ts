import * as fc from 'fast-check';
import { mkdirSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { answerOf, appendFile, list, readFile, writeFile } from '../../testing/file-helpers.ts';
import { scratchInMemory, scratchOnDisk } from '../../testing/scratch.ts';
import { removeTree } from '../remove/remove-host-tree.ts';
import { resolution } from '../paths/root-directory.ts';
import { RootedFs } from '../rooted-fs.ts';
import { Canary } from './canary.ts';
import { type Attack, growModel, plantModel, scenario } from './generated-trees.ts';
import { copyInModel, makeModelSymlink, moveInModel } from './model-transfers.ts';
import { type ModelDirectory, ModelError, type ModelNode, ModelTree } from './model-tree.ts';

const TREES = 10_000;

const inMemory = scratchInMemory();
const onDisk = scratchOnDisk();
const canary = new Canary(join(onDisk.path, 'outside'));

afterAll(() => {
  inMemory[Symbol.dispose]();
  onDisk[Symbol.dispose]();
});

function attackFiles(fs: RootedFs, { operation, path, to }: Attack, text: string): Promise<string> {
  const operations: Record<Attack['operation'], () => unknown> = {
    read: async () => `'${await readFile(fs, path)}'`,
    stat: () => fs.stat(path).type,
    lstat: () => fs.stat(path, { followSymlinks: false }).type,
    list: async () => (await list(fs, path)).map((entry) => entry.nameBytes.toString()).join(','),
    write: async () => void (await writeFile(fs, path, text)),
    mkdir: () => fs.makeDirectory(path),
    remove: () => fs.remove(path),
    removeAll: () => fs.remove(path, { recursive: true }),
    append: () => appendFile(fs, path, text),
    symlink: () => fs.symlink(path, to),
    move: () => fs.move(path, to),
    moveOver: () => fs.move(path, to, { overwrite: true }),
    copy: () => fs.copy(path, to),
    copyOver: () => fs.copy(path, to, { overwrite: true }),
  };
  return answerOf(operations[operation]);
}

function attackModel(model: ModelTree, { operation, path, to }: Attack, text: string): string {
  const operations: Record<Attack['operation'], () => unknown> = {
    read: () => model.read(path),
    stat: () => model.stat(path, true),
    lstat: () => model.stat(path, false),
    list: () => model.list(path),
    write: () => model.write(path, text),
    mkdir: () => void model.makeDirectory(path),
    remove: () => model.remove(path, false),
    removeAll: () => model.remove(path, true),
    append: () => model.write(path, text, { append: true }),
    symlink: () => makeModelSymlink(model, path, to),
    move: () => moveInModel(model, path, to, false),
    moveOver: () => moveInModel(model, path, to, true),
    copy: () => copyInModel(model, path, to, false),
    copyOver: () => copyInModel(model, path, to, true),
  };
  try {
    return String(operations[operation]());
  } catch (error) {
    if (error instanceof ModelError) return error.message;
    throw error;
  }
}

/** What is on disk, as the model would hold it. */
function readTree(path: string): ModelDirectory {
  const children = new Map<string, ModelNode>();
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const at = join(path, entry.name);
    if (entry.isDirectory()) children.set(entry.name, readTree(at));
    else if (entry.isSymbolicLink()) {
      children.set(entry.name, { type: 'symlink', target: readlinkSync(at) });
    } else children.set(entry.name, { type: 'file', text: readFileSync(at, 'utf8') });
  }
  return { type: 'directory', children };
}

test('generated trees answer as the model does', { timeout: 300_000 }, () => attackTrees(TREES));

test('the same when paths are walked name by name', { timeout: 120_000 }, async () => {
  const { maxAttempts } = resolution;
  resolution.maxAttempts = 0;
  try {
    await attackTrees(TREES / 5);
  } finally {
    resolution.maxAttempts = maxAttempts;
  }
});

async function attackTrees(numRuns: number): Promise<void> {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(scenario, async ({ plans, attacks }) => {
      const name = `root-${count++}`;
      const root = join(inMemory.path, name);
      mkdirSync(root);
      const model = new ModelTree();
      growModel(model.root, plans, canary.directory);
      plantModel(model.root, root);
      const fs = RootedFs.open(root, { hiddenAreas: [] });
      try {
        for (const [index, step] of attacks.entries()) {
          const text = `written ${index}`;
          const expected = attackModel(model, step, text);
          expect(await attackFiles(fs, step, text)).toBe(expected);
        }
        expect(readTree(root)).toEqual(model.root);
      } finally {
        fs.close();
        await removeTree(inMemory.path, name);
      }
    }),
    { numRuns },
  );
  expect(readdirSync(inMemory.path)).toEqual([]);
}

test('the canary was never read or changed', () => {
  canary.expectUntouched();
});
