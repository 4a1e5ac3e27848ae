import { accessSync, constants, mkdirSync, readFileSync, statfsSync } from 'node:fs';
import { Failure } from '../lib/failure.mjs';
import { repoDir, setupDir } from '../lib/paths.mjs';
import { giveBackSetupDir } from '../lib/privilege.mjs';

export const neededNode = [20, 19];
const neededGiB = 3;

export const nodeIsNewEnough = (version) => {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number);
  return major > neededNode[0] || (major === neededNode[0] && minor >= neededNode[1]);
};

/** Linux, a Node that is new enough, and a repository that can be written to. */
export async function checkPlatform() {
  if (process.platform !== 'linux') {
    throw new Failure(
      `Sandport runs on Linux, and this is ${process.platform}: use a Linux machine or virtual machine.`,
    );
  }
  if (!nodeIsNewEnough(process.version)) {
    throw new Failure(
      `Sandport needs Node ${neededNode.join('.')} or newer, and this is ${process.version}: install a newer Node and try again.`,
    );
  }
  try {
    mkdirSync(setupDir, { recursive: true });
    accessSync(setupDir, constants.W_OK);
  } catch (error) {
    throw new Failure(
      `The set-up cannot write to ${repoDir} (${error.code}): make the directory writable, or clone the repository elsewhere.`,
    );
  }
  await giveBackSetupDir();
  return `Node ${process.version}, ${distribution().prettyName}`;
}

/** Called before anything big is written. */
export function checkDiskSpace(directory = repoDir) {
  const { bavail, bsize } = statfsSync(directory);
  const freeGiB = (bavail * bsize) / 1024 ** 3;
  if (freeGiB < neededGiB) {
    throw new Failure(
      `The set-up needs ${neededGiB} GiB of free disk at ${directory}, and there are ${freeGiB.toFixed(1)}: free some space and try again.`,
    );
  }
}

/** What /etc/os-release says; `debianLike` when Debian's package tools are the way to install. */
export function distribution() {
  let text = '';
  try {
    text = readFileSync('/etc/os-release', 'utf8');
  } catch {
    // A machine without the file is treated as unknown.
  }
  const field = (name) => text.match(new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm'))?.[1] ?? '';
  const family = `${field('ID')} ${field('ID_LIKE')}`.split(' ');
  return {
    prettyName: field('PRETTY_NAME') || 'an unknown Linux',
    debianLike: family.includes('debian') || family.includes('ubuntu'),
  };
}
