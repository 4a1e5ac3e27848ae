import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../lib/failure.mjs';
import { logsDir, repoDir } from '../lib/paths.mjs';
import { asInvokingUser } from '../lib/privilege.mjs';
import { run } from '../lib/run.mjs';
import { checkDiskSpace } from './platform.mjs';

/**
 * Runs `npm ci` unless node_modules is what package-lock.json asks for. A registry that does not
 * carry the binaries for other platforms makes npm leave those out of the lock file, and `npm ci`
 * refuses such a file: then `npm install` takes the same versions and leaves the file alone.
 */
export async function installNodeModules(say) {
  if (nodeModulesMatch(repoDir)) return 'up to date';
  checkDiskSpace();
  const flags = [
    '--no-audit',
    '--no-fund',
    // Named because `npm run --silent` hands its own down.
    '--loglevel=warn',
    // Without a network npm otherwise tries for many minutes.
    '--prefer-offline',
    '--fetch-retries=1',
    '--fetch-retry-mintimeout=1000',
    '--fetch-retry-maxtimeout=3000',
  ];
  let result = await npm(['ci', ...flags], say);
  if (result.code !== 0 && lockIsRefused(result)) {
    result = await npm(['install', '--no-save', ...flags], say);
  }
  if (result.code !== 0) {
    throw new Failure(
      'The npm packages could not be installed: check that the npm registry can be reached, then try again.',
      { output: result.tail.slice(-12) },
    );
  }
  return 'installed';
}

const lockIsRefused = ({ log }) => log.some((line) => line.includes('EUSAGE'));

async function npm(args, say) {
  const log = [];
  say(`npm ${args[0]}`);
  const result = await run('npm', args, {
    cwd: repoDir,
    logFile: join(logsDir, 'npm.log'),
    onLine: (line) => {
      log.push(line);
      say(line);
    },
    ...(await asInvokingUser()),
  });
  return { ...result, log };
}

/**
 * Compares the lock file with the one that npm leaves in node_modules as its last act: an
 * installation that broke off half-way has none. Packages for other machines may be absent.
 */
export function nodeModulesMatch(directory) {
  let wanted;
  let installed;
  try {
    wanted = JSON.parse(readFileSync(join(directory, 'package-lock.json'), 'utf8')).packages;
    installed = JSON.parse(
      readFileSync(join(directory, 'node_modules/.package-lock.json'), 'utf8'),
    ).packages;
  } catch {
    return false;
  }
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true;
    if (entry.link) return existsSync(join(directory, path));
    const actual = installed[path];
    if (actual === undefined) return entry.optional === true || entry.peer === true;
    return actual.version === entry.version && actual.integrity === entry.integrity;
  });
}
