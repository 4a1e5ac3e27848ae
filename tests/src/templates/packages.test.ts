import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { build, buildWell, templatesDir, useDaemon } from '../harness/index.ts';

// Named after the run: the directory of templates is shared with other tests, for `base`.
const name = `packages-${process.pid}`;
const used = useDaemon();
afterAll(() => rmSync(join(templatesDir, name), { recursive: true, force: true }));

test('Debian packages beside those of base', async () => {
  const description = 'with a calculator';
  const fields = { name, packages: ['bc'], description };
  const template = await buildWell(used.api, fields);
  expect(template).toMatchObject({
    description,
    source: 'Debian packages: base with bc',
    user: 'user',
    workdir: '/home/user',
  });
  const { id } = await used.api.create({ template: name });
  expect((await used.api.exec(id, 'echo 6 \\* 7 | bc && python3 -c "print(1)"')).stdout).toBe(
    '42\n1\n',
  );
  await used.api.kill(id);
}, 300_000);

test.each([
  ['a package that does not exist', ['no-such-package-at-all'], 'template_build_failed'],
  ['an option', ['--help'], 'invalid_request'],
  ['several in one', ['bc,git'], 'invalid_request'],
  ['a version', ['bc=1.0'], 'invalid_request'],
])(
  '%s',
  async (_, packages, code) => {
    const { fault } = await build(used.api, { name: `${name}-bad`, packages });
    expect(fault).toMatchObject({ code });
  },
  120_000,
);
