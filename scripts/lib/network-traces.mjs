import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What daemons have in the kernel for the networks of their sandboxes: {kind, name, key}, where the
 * key is what the name has of the daemon's.
 */
export function networkTraces() {
  const interfaces = list('/sys/class/net').flatMap((name) => {
    const key = /^sp([0-9a-f]{6})-/.exec(name)?.[1];
    return key === undefined ? [] : [{ kind: 'interface', name, key }];
  });
  const tables = [...tablesOfNft().matchAll(/^table inet (sandport_([0-9a-f]{12}))$/gm)].map(
    ([, name, key]) => ({ kind: 'table', name, key }),
  );
  return [...interfaces, ...tables];
}

/** The same of daemons with these keys, a line each. */
export const networksOf = (keys) =>
  networkTraces()
    .filter(({ key }) => [...keys].some((each) => each.startsWith(key)))
    .map(({ kind, name }) => `${kind} ${name}`);

/** Takes it out of the kernel. @param runDirs of the daemons, which name their gateways */
export function removeNetworks(networks, runDirs) {
  for (const network of networks) {
    const [kind, name] = network.split(' ');
    if (kind === 'interface') quietly('ip', ['link', 'del', name]);
    else quietly('nft', ['delete', 'table', 'inet', name]);
  }
  for (const folder of runDirs) {
    const first = read(join(folder, 'network')).trim();
    if (!/^\d+(\.\d+){3}$/.test(first)) continue;
    const gateway = first.replace(/\d+$/, (last) => String(Number(last) + 1));
    quietly('ip', ['addr', 'del', `${gateway}/32`, 'dev', 'lo']);
  }
}

function tablesOfNft() {
  try {
    return execFileSync('nft', ['list', 'tables'], { encoding: 'utf8', stdio: 'pipe' });
  } catch {
    // Not installed, or no right to look: then nobody here has made one.
    return '';
  }
}

function quietly(program, args) {
  try {
    execFileSync(program, args, { stdio: 'pipe' });
  } catch {
    // It went meanwhile.
  }
}

const list = (path) => {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
};
const read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};
