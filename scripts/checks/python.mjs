import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { inRepo, venvDir } from '../lib/paths.mjs';
import { run } from '../lib/run.mjs';

export const name = 'Python (ruff, mypy)';

/** Beside the SDK itself. */
const others = ['../../tests/python', '../../examples/python', '../../bench/python'];

const tools = [
  ['ruff', ['check', '--config', 'pyproject.toml', '.', ...others]],
  [
    'ruff',
    [
      'format',
      '--check',
      '--config',
      'pyproject.toml',
      '.',
      '../../tests/python',
      '../../examples/python',
    ],
  ],
  ['mypy', []],
];

export async function check() {
  const problems = [];
  for (const [tool, args] of tools) {
    const program = join(venvDir, 'bin', tool);
    if (!existsSync(program)) {
      return { problems: [`${tool} is not in .venv: run \`npm run setup\`.`] };
    }
    const result = await run(program, args, { cwd: inRepo('sdks/python') });
    if (result.code !== 0) problems.push(`${tool} ${args.join(' ')}:`, ...result.tail);
  }
  return { problems };
}
