import { parseGuestPath, SandportFault, type VolumeMount } from '@sandport/protocol';

/** What the kernel and the sandbox itself need: nothing is mounted at, above or below these. */
const taken = ['/proc', '/sys', '/dev', '/run/sandport'];

/** Where a sandbox sees a volume. */
export const mountPathOf = ({ name, path }: VolumeMount): string => path ?? `/mnt/${name}`;

/**
 * Checks the volumes of a request: each once, each at a path where a mount is safe, none within
 * another.
 * @throws SandportFault `invalid_request`, `invalid_path`
 */
export function checkMounts(mounts: readonly VolumeMount[]): readonly VolumeMount[] {
  const names = mounts.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw refuse(`The volume "${twice}" is listed twice.`);
  const paths = mounts.map(mountPathOf);
  for (const path of paths) checkMountPath(path);
  paths.forEach((path, index) => {
    const other = paths.find((each, at) => at !== index && isWithin(path, each));
    if (other === path) throw refuse(`Two volumes are to be mounted at ${path}.`);
    if (other !== undefined)
      throw refuse(`The volume at ${path} would lie in the one at ${other}; mount it elsewhere.`);
  });
  return mounts;
}

function checkMountPath(path: string): void {
  parseGuestPath(path);
  const names = path.split('/').slice(1);
  if (names.some((name) => name === '' || name === '.' || name === '..'))
    throw refuse(
      `A volume cannot be mounted at ${JSON.stringify(path)}: the path must not be /, hold //, . or .., or end with /.`,
    );
  const near = taken.find((each) => isWithin(path, each) || isWithin(each, path));
  if (near !== undefined)
    throw refuse(
      `A volume cannot be mounted at ${path}: ${near} is needed for the sandbox itself.`,
    );
}

/** True for the directory itself, too. */
const isWithin = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(`${directory}/`);

const refuse = (sentence: string): SandportFault =>
  new SandportFault('invalid_request', sentence, { field: 'volumes' });
