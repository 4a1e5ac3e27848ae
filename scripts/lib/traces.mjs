import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { networksOf, networkTraces } from './network-traces.mjs';
import { processStartTime } from './process-identity.mjs';
import { runVariable } from './run-marker.mjs';

const read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};
const list = (path) => {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
};

/** The name that the local driver derives from a data directory for its cgroups and run files. */
export const dataDirKey = (dataDir) =>
  createHash('sha256').update(dataDir).digest('hex').slice(0, 12);

/** Data directories below a temporary directory, at most three levels down. */
export function dataDirsBelow(tempDir) {
  const found = [tempDir];
  const visit = (folder, depth) => {
    for (const entry of list(folder)) {
      if (!entry.isDirectory() || ['sandboxes', 'volumes', 'templates'].includes(entry.name)) {
        continue;
      }
      found.push(join(folder, entry.name));
      if (depth < 3) visit(join(folder, entry.name), depth + 1);
    }
  };
  visit(tempDir, 1);
  return found;
}

/** Mounts of this mount namespace, in the order in which they were mounted. */
const mounts = () =>
  read('/proc/self/mountinfo')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({
      point: line
        .split(' ')[4]
        .replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))),
      /** What was mounted, with the layers of an overlay: these tell of a tree that is gone. */
      source: line.slice(line.indexOf(' - ')),
    }));

/** Every cgroup directory below /sandport, in every hierarchy, deepest first. */
export function sandportCgroups() {
  const roots = [
    '/sys/fs/cgroup',
    ...list('/sys/fs/cgroup').map((e) => `/sys/fs/cgroup/${e.name}`),
  ];
  const found = [];
  const visit = (folder) => {
    for (const entry of list(folder)) {
      if (entry.isDirectory()) visit(join(folder, entry.name));
    }
    found.push(folder);
  };
  for (const root of roots) if (existsSync(join(root, 'sandport'))) visit(join(root, 'sandport'));
  return found;
}

/** Every process: {pid, startTime, command, environment}. */
function processes() {
  return list('/proc')
    .filter((entry) => /^\d+$/.test(entry.name))
    .map(({ name }) => ({
      pid: Number(name),
      startTime: processStartTime(Number(name)),
      command: read(`/proc/${name}/cmdline`).replaceAll('\0', ' ').trim(),
      environment: read(`/proc/${name}/environ`),
    }))
    .filter(({ startTime }) => startTime !== undefined);
}

/** Keys of data directories that are gone, or that no walk finds: from mounts of what was in them. */
const keysOfMounts = (tempDir) =>
  mounts()
    .filter(({ source }) => source.includes(`${tempDir}/`))
    .flatMap(({ point }) => /^\/run\/sandport\/([0-9a-f]{12})\//.exec(point)?.[1] ?? []);

/**
 * Everything that belongs to one run and is outside this process: processes that carry its id or
 * name one of its directories, or sit in one of its cgroups; its mounts, cgroups, run directories,
 * and what lies in its temporary directory.
 */
export function tracesOf({ runId, tempDir }) {
  const dataDirs = dataDirsBelow(tempDir);
  const keys = new Set([...dataDirs.map(dataDirKey), ...keysOfMounts(tempDir)]);
  const names = [...keys].map((key) => join('/run/sandport', key));
  const runDirs = names.filter((path) => existsSync(path));
  const isBelow = (path) =>
    [tempDir, ...runDirs].some((folder) => path === folder || path.startsWith(`${folder}/`));
  const cgroups = sandportCgroups().filter((path) =>
    path.split('/').some((part) => keys.has(part)),
  );
  const inCgroups = new Set(
    cgroups.flatMap((path) =>
      read(join(path, 'cgroup.procs')).split('\n').filter(Boolean).map(Number),
    ),
  );
  return {
    processes: processes().filter(
      ({ pid, command, environment }) =>
        pid !== process.pid &&
        (inCgroups.has(pid) ||
          environment.split('\0').includes(`${runVariable}=${runId}`) ||
          [tempDir, ...names].some((name) => command.includes(name))),
    ),
    mounts: mounts()
      .filter(({ point, source }) => isBelow(point) || source.includes(`${tempDir}/`))
      .map(({ point }) => point),
    cgroups,
    networks: networksOf(keys),
    runDirs,
    files: list(tempDir).map((entry) => join(tempDir, entry.name)),
  };
}

const key = /^[0-9a-f]{12}$/;

/**
 * Things on the machine that carry Sandport's name, whoever they belong to. What daemons share and
 * keep (the parent of their cgroups, the results of their probes) is not among them.
 */
export function machineTraces() {
  const named = (folder) =>
    list(folder)
      .filter((entry) => /sandport/i.test(entry.name))
      .map((entry) => join(folder, entry.name));
  return {
    mounts: mounts()
      .map(({ point }) => point)
      .filter((path) => /sandport/i.test(path)),
    cgroups: sandportCgroups().filter((path) => path.split('/').some((part) => key.test(part))),
    runDirs: list('/run/sandport')
      .filter(({ name }) => key.test(name))
      .map(({ name }) => join('/run/sandport', name)),
    networks: networkTraces().map(({ kind, name }) => `${kind} ${name}`),
    networkNamespaces: list('/run/netns').map((entry) => join('/run/netns', entry.name)),
    files: [...named('/tmp'), ...named('/var/tmp')],
    processes: processes().filter(({ command }) => /sandport|runsc|\brunc\b/.test(command)),
  };
}
