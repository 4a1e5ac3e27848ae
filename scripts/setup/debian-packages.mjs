import { Failure } from '../lib/failure.mjs';
import { warn } from '../lib/progress.mjs';
import { run } from '../lib/run.mjs';
import { aptGet } from './apt.mjs';
import { checkDiskSpace, distribution } from './platform.mjs';

/** Package → the file or program that shows that it is there on a machine without dpkg. */
const required = {
  runc: 'runc',
  mmdebstrap: 'mmdebstrap',
  gcc: 'gcc',
  'libc6-dev': '/usr/include/stdio.h',
  e2fsprogs: 'mkfs.ext4',
  'btrfs-progs': 'mkfs.btrfs',
  'util-linux': 'unshare',
  mount: 'mount',
  python3: 'python3',
  'python3-venv': 'python3',
  'ca-certificates': '/etc/ssl/certs/ca-certificates.crt',
  curl: 'curl',
  nftables: 'nft',
  iproute2: 'ip',
  zstd: 'zstd',
};
/** Package → what does not work without it. Some archives do not have all of them. */
const optional = {
  runsc:
    'sandboxes run with the isolation `container` only. Install runsc from gvisor.dev for the isolation `gvisor`',
  skopeo: 'templates cannot be made of images',
  umoci: 'templates cannot be made of images',
  buildah: 'templates cannot be made of Dockerfiles',
};

export const debianPackages = [...Object.keys(required), ...Object.keys(optional)];

const warnOfMissing = (name) =>
  warn(`${name} is not in this distribution’s archive: ${optional[name]}.`);

/** Installs what is missing; does nothing, without the network, when nothing is. */
export async function installDebianPackages(say) {
  if (!distribution().debianLike) return checkWithoutDpkg();
  const missing = await missingPackages(debianPackages);
  if (missing.length === 0) return 'all there';
  const needed = missing.filter((name) => !(name in optional));

  // On a machine whose archive lacks one of them this is the normal state, so it must stay quick.
  const wished = [];
  for (const name of missing)
    if (name in optional && (await run('sh', ['-c', `command -v ${name}`])).code !== 0)
      wished.push(name);
  if (needed.length === 0 && wished.length === 0) return 'all there';
  if (needed.length > 0) checkDiskSpace('/var');
  const updated = await aptGet(['update'], { say });
  if (needed.length > 0) {
    const result = await aptGet(['install', '--no-install-recommends', ...needed], {
      say,
    });
    const still = await missingPackages(needed);
    if (still.length > 0) {
      throw new Failure(
        `${still.join(', ')} could not be installed${updated.ok ? '' : ' (the package lists could not be fetched either: is there a network?)'}: run \`apt-get update && apt-get install ${still.join(' ')}\` as root, then try again.`,
        { output: (result.ok ? updated : result).tail.slice(-12) },
      );
    }
  }
  const installed = [...needed];
  for (const name of wished) {
    const result = await aptGet(['install', '--no-install-recommends', name], { say });
    if (result.ok) installed.push(name);
    else warnOfMissing(name);
  }
  return installed.length > 0 ? `installed ${installed.join(', ')}` : 'all there that can be';
}

/** Those of the packages that are not completely installed. */
async function missingPackages(names) {
  const query = await run('dpkg-query', ['-W', '-f=${Package} ${Status}\\n', ...names]);
  const installed = new Set(
    query.stdout
      .split('\n')
      .filter((line) => line.endsWith(' install ok installed'))
      .map((line) => line.split(' ')[0]),
  );
  return names.filter((name) => !installed.has(name));
}

/** On other distributions nothing is installed; the programs only have to be there. */
async function checkWithoutDpkg() {
  const has = async (evidence) =>
    evidence.startsWith('/')
      ? (await run('test', ['-e', evidence])).code === 0
      : (await run('sh', ['-c', `command -v ${evidence}`])).code === 0;
  const missing = [];
  for (const [name, evidence] of Object.entries(required)) {
    if (!(await has(evidence))) missing.push(name);
  }
  if (missing.length > 0) {
    throw new Failure(
      `${distribution().prettyName} is neither Debian nor Ubuntu, so nothing was installed; with its own package manager install what Debian calls ${missing.join(', ')}, then try again.`,
    );
  }
  for (const name of Object.keys(optional)) if (!(await has(name))) warnOfMissing(name);
  return 'all there';
}
