import { describe, expect, test } from 'vitest';
import { ConflictError } from '../errors/api-errors.ts';
import { ancestors, type PlanOptions, planSync } from './plan.ts';
import type { SyncEntry } from './sync-entry.ts';

const entry = (path: string, more: Partial<SyncEntry> = {}): SyncEntry => ({
  path,
  type: 'file',
  sizeBytes: 1,
  mtimeMs: 1,
  mode: 0o644,
  linkTarget: undefined,
  sha256: undefined,
  ...more,
});
const directory = (path: string) => entry(path, { type: 'directory', sizeBytes: 0 });

const plan = async (
  source: readonly SyncEntry[],
  target: readonly SyncEntry[],
  options: Partial<PlanOptions> = {},
) => {
  const byPath = new Map(target.map((each) => [each.path, each]));
  const made = await planSync(source, byPath, {
    delete: false,
    isIgnored: () => false,
    protectedPaths: [],
    sameContents: (a, b) => a.mtimeMs === b.mtimeMs,
    ...options,
  });
  return { ...made, brief: made.actions.map(({ action, path }) => `${action} ${path}`) };
};

describe('planSync', () => {
  test('sends what differs, and gives directories their time again', async () => {
    const source = [directory('d'), entry('d/a', { mtimeMs: 2 }), entry('d/b'), entry('n/x')];
    const { brief, touched, unchanged, bytes } = await plan(source, [
      directory('d'),
      entry('d/a'),
      entry('d/b'),
    ]);
    expect(brief).toEqual(['updated d/a', 'created n/x']);
    expect([...touched]).toEqual(['d', 'n']);
    expect({ unchanged, bytes }).toEqual({ unchanged: 2, bytes: 2 });
  });

  test('removes with delete only, a directory with all that is in it', async () => {
    const target = [directory('old'), entry('old/a'), directory('old/s'), entry('old/s/b')];
    expect((await plan([], target)).remove).toEqual([]);
    const made = await plan([], target, { delete: true });
    expect(made.remove).toEqual(['old']);
    expect(made.brief).toEqual(target.map(({ path }) => `deleted ${path}`));
  });

  test('keeps what is ignored or protected, and the directories above it', async () => {
    const target = [directory('d'), entry('d/keep.log'), entry('d/gone'), directory('e')];
    const made = await plan([], target, {
      delete: true,
      isIgnored: (path) => path.endsWith('.log'),
      protectedPaths: ['e/no-name'],
    });
    expect(made.remove).toEqual(['d/gone']);
  });

  test('a directory in the way is removed with delete only, and never with ignored entries', async () => {
    const target = [directory('x'), entry('x/a')];
    await expect(plan([entry('x')], target)).rejects.toThrow(ConflictError);
    const made = await plan([entry('x')], target, { delete: true });
    expect(made.brief).toEqual(['replaced x', 'deleted x/a']);
    expect(made.remove).toEqual(['x']);
    const ignoring = { delete: true, isIgnored: (path: string) => path === 'x/a' };
    await expect(plan([entry('x')], target, ignoring)).rejects.toThrow(ConflictError);
  });

  test('a file makes room for a directory, and swaps with a symlink', async () => {
    const link = entry('y', { type: 'symlink', linkTarget: 't' });
    const made = await plan([directory('x'), entry('x/a'), link], [entry('x'), entry('y')]);
    expect(made.brief).toEqual(['replaced x', 'created x/a', 'updated y']);
    expect(made.remove).toEqual(['x']);
  });
});

test('ancestors are listed from the nearest on', () => {
  expect(ancestors('a/b/c')).toEqual(['a/b', 'a']);
  expect(ancestors('a')).toEqual([]);
});
