import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { idRangeSize, IdRanges } from './id-ranges.ts';

function make(seed = 0) {
  const open = new Set<number>();
  let next = 100;
  const ranges = new IdRanges({
    seed,
    createNamespace: async ({ count }) => {
      expect(count).toBe(idRangeSize);
      await sleep(1);
      next += 1;
      open.add(next);
      return next;
    },
    closeNamespace: (fd) => expect(open.delete(fd)).toBe(true),
  });
  return { ranges, open };
}

test('ranges never meet, and come back for use', async () => {
  const { ranges, open } = make();
  ranges.reserve(16 * idRangeSize);
  const taken = await Promise.all(Array.from({ length: 60 }, () => ranges.take()));
  const bases = taken.map(({ base }) => base);
  expect(new Set(bases).size).toBe(60);
  expect(bases).not.toContain(16 * idRangeSize);
  expect(bases.every((base) => base % idRangeSize === 0 && base >= 1_000_000)).toBe(true);
  for (const base of bases) ranges.release(base);
  for (const base of bases) ranges.release(base);
  const again = await Promise.all(Array.from({ length: 60 }, () => ranges.take()));
  expect(new Set(again.map(({ base }) => base)).size).toBe(60);
  await ranges.close();
  expect(open.size).toBe(0);
});

test('drivers begin in different places', async () => {
  const bases = await Promise.all(
    [1, 2, 499].map(async (seed) => {
      const { ranges } = make(seed);
      const { base } = await ranges.take();
      await ranges.close();
      return base;
    }),
  );
  expect(new Set(bases).size).toBe(3);
  expect(Math.max(...bases)).toBeLessThan(2 ** 32 - idRangeSize);
});

test('a namespace that cannot be made gives its range back', async () => {
  let broken = true;
  const ranges = new IdRanges({
    seed: 0,
    createNamespace: async () => {
      if (broken) throw new Error('no user namespaces');
      return 1;
    },
    closeNamespace: () => {},
  });
  await expect(ranges.take()).rejects.toThrow('no user namespaces');
  broken = false;
  expect((await ranges.take()).base).toBe(16 * idRangeSize);
  await ranges.close();
});
