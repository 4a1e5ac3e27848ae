import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { logsDir, toolsDir } from '../lib/paths.mjs';
import { warn } from '../lib/progress.mjs';
import { run } from '../lib/run.mjs';
import { distribution } from './platform.mjs';

const name = 'docker-registry';

/**
 * Unpacks a registry of images for the tests. The package is not installed: that would start a
 * service on the machine.
 */
export async function unpackTestRegistry(say) {
  const target = join(toolsDir, name);
  if (existsSync(join(target, 'usr/bin', name))) return 'up to date';
  if ((await run('sh', ['-c', `command -v ${name}`])).code === 0) return 'installed';
  if (!distribution().debianLike) return 'left out: not Debian or Ubuntu';
  mkdirSync(toolsDir, { recursive: true });
  const options = { cwd: toolsDir, onLine: say, logFile: join(logsDir, 'test-registry.log') };
  rmSync(target, { recursive: true, force: true });
  await run('apt-get', ['download', name], options);
  const file = readdirSync(toolsDir).find((each) => each.startsWith(`${name}_`));
  const unpacked = `${name}.new`;
  const ok =
    file !== undefined &&
    (await run('dpkg-deb', ['--extract', file, unpacked], options)).code === 0 &&
    (await run('mv', [unpacked, name], options)).code === 0;
  if (file !== undefined) rmSync(join(toolsDir, file), { force: true });
  if (ok) return 'unpacked';
  rmSync(join(toolsDir, unpacked), { recursive: true, force: true });
  warn(`${name} could not be fetched: the tests of images from a registry are skipped.`);
  return 'not there';
}
