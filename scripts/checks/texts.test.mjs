import { expect, test } from 'vitest';
import { namedPaths } from './architecture-paths.mjs';
import { pythonRequirements } from './dependencies.mjs';
import { findForbidden } from './machine-paths.mjs';

test('finds the paths that a page names', () => {
  const text = 'See `packages/linux`, `docs/a.md`, `npm run demo`, `packages/linux` and `PUT /v1`.';
  expect(namedPaths(text)).toEqual(['packages/linux', 'docs/a.md']);
});

test('finds machine paths and registry hosts, and leaves the guest’s own paths alone', () => {
  const machine = ['/work', 'main'].join('/');
  const host = ['registry', 'npmjs', 'org'].join('.');
  expect(findForbidden(`cd ${machine}`)).toEqual([machine]);
  expect(findForbidden(`https://${host}/`)).toHaveLength(1);
  expect(findForbidden('cat /home/anna/x', ['/home/anna'])).toHaveLength(1);
  expect(findForbidden('/home/user/input.csv /workspace/a 127.0.0.1:8420')).toEqual([]);
});

test('finds the names of Python requirements', () => {
  const pyproject = 'dependencies = ["httpx>=0.27,<1"]\n[x]\ndev = ["mypy>=1", "ruff"]\n';
  expect(pythonRequirements(pyproject, '# pinned\n-r other.txt\npandastack==0.10.0\n')).toEqual([
    'httpx',
    'mypy',
    'ruff',
    'pandastack',
  ]);
});
