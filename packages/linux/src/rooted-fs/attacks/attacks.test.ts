import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { notRoot, scratchInMemory, scratchOnDisk } from '../../testing/scratch.ts';
import * as tables from './attack-table.ts';
import { AttackedTree, OPERATIONS } from './attacked-tree.ts';
import { Canary } from './canary.ts';
import { DERIVED, summarize } from './derived-attacks.ts';
import { DEEP, LONGEST_NAME, plantDevices, plantHostileTree } from './hostile-tree.ts';

const inMemory = scratchInMemory();
const onDisk = scratchOnDisk();
const canary = new Canary(join(onDisk.path, 'outside'));
const planted = join(inMemory.path, 'planted');
const tree = new AttackedTree(planted, join(inMemory.path, 'root'));

function expand(text: string): string {
  return text
    .replaceAll('{LONGEST}', LONGEST_NAME)
    .replaceAll('{DEEP}', DEEP)
    .replaceAll('{OUTSIDE}', canary.directory);
}

interface Attack {
  readonly path: string;
  readonly answers: readonly string[];
}

function parseTable(table: string): Attack[] {
  return table
    .trim()
    .split('\n')
    .map((line) => {
      const [path = '', ...answers] = line.split(' | ');
      const parsed: unknown = JSON.parse(expand(path));
      if (typeof parsed !== 'string') throw new TypeError(line);
      const last = answers.at(-1) ?? '';
      return { path: parsed, answers: OPERATIONS.map((_, index) => answers[index] ?? last) };
    });
}

beforeAll(() => {
  mkdirSync(planted);
  plantHostileTree(planted, canary.directory);
  if (notRoot === undefined) plantDevices(planted);
});

afterAll(() => {
  tree[Symbol.dispose]();
  inMemory[Symbol.dispose]();
  onDisk[Symbol.dispose]();
});

describe.skipIf(notRoot)('hand-made attacks on a rooted file system', () => {
  for (const [name, table] of Object.entries(tables)) {
    describe(name, () => {
      const attacks = parseTable(table);
      for (const [index, operation] of OPERATIONS.entries()) {
        for (const { path, answers } of attacks) {
          const title = `${operation} ${JSON.stringify(path).slice(0, 120)}`;
          test(title, { timeout: 10_000 }, async () => {
            const startMs = performance.now();
            const answer = await tree.describe(operation, path);
            expect(answer).toBe(expand(answers[index] ?? ''));
            expect(performance.now() - startMs).toBeLessThan(5000);
          });
        }
      }
    });
  }

  for (const [name, table] of Object.entries(tables)) {
    describe(`${name}, by operations without a column`, () => {
      for (const { path, answers } of parseTable(table)) {
        const known = new Map(
          OPERATIONS.map((each, index) => [each, expand(answers[index] ?? '')]),
        );
        for (const [operation, expectedOf] of Object.entries(DERIVED)) {
          const title = `${operation} ${JSON.stringify(path).slice(0, 120)}`;
          test(title, { timeout: 10_000 }, async () => {
            const startMs = performance.now();
            const answer = summarize(await tree.describe(operation, path));
            expect(answer).toBe(expectedOf(known) ?? answer);
            expect(performance.now() - startMs).toBeLessThan(5000);
          });
        }
      }
    });
  }

  test('there are at least 200 of them', () => {
    const count = Object.values(tables).flatMap(parseTable).length * OPERATIONS.length;
    expect(count).toBeGreaterThanOrEqual(200);
  });

  test('the canary was never read or changed', () => {
    canary.expectUntouched();
  });
});
