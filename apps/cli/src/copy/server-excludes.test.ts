import { expect, test } from 'vitest';
import { serverExcludes } from './server-excludes.ts';

test('only patterns that mean the same to the daemon go to it', () => {
  const same = ['node_modules', '*.log', '.git', 'Ünï_1.txt'];
  const other = ['dir/', '/top', 'a/b', 'a*b', '\\#x', '[ab]', '# note', 'trailing '];
  expect(serverExcludes([...same, ...other])).toEqual(same);
  expect(serverExcludes([...same, '!keep.log'])).toEqual([]);
});
