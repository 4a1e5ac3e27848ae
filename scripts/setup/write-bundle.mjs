import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { rolldown } from 'rolldown';
import { inRepo } from '../lib/paths.mjs';
import { bundledPackages, bundleDir, bundleInputs } from './bundle.mjs';

// Writes the bundle of the command line. It is a program of its own so that it can run as the
// person who owns the repository. Every bundle gets a directory, and the one before it stays: a
// daemon that runs loads some of its parts late. `current.json`, written last, names the newest.

const startedAt = new Date();
const directory = join(bundleDir, startedAt.getTime().toString(36));

/** Native modules, and packages that look for files beside themselves. */
const external = [/^node:/, 'koffi', 'libsql', 'pino', 'ssh2', '@grpc/proto-loader'];

const packages = bundledPackages().map((folder) => ({
  folder: `${folder}/`,
  name: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).name,
}));

const packageOf = (id) => packages.find(({ folder }) => id.startsWith(folder));

/** The address of a module: from there it finds files of its package, wherever that is installed. */
function urlOf(id) {
  const { folder, name } = packageOf(id);
  const path = relative(join(folder, 'dist'), id);
  return name === '@sandport/cli'
    ? `new URL(${JSON.stringify(`../../${path}`)}, import.meta.url).href`
    : `new URL(${JSON.stringify(`./${path}`)}, import.meta.resolve(${JSON.stringify(name)})).href`;
}

/** Loads the compiled modules of this repository, with the compiler's maps to their sources. */
const ownModules = {
  name: 'own-modules',
  async load(id) {
    if (packageOf(id) === undefined || id.includes('/node_modules/')) return null;
    const code = await readFile(id, 'utf8');
    const map = existsSync(`${id}.map`) ? await readFile(`${id}.map`, 'utf8') : undefined;
    return { code: code.replaceAll('import.meta.url', () => urlOf(id)), map };
  },
};

const bundle = await rolldown({
  input: { main: inRepo('apps/cli/dist/main.js') },
  platform: 'node',
  external,
  plugins: [ownModules],
  logLevel: 'warn',
});
await mkdir(directory, { recursive: true });
await bundle.write({
  dir: directory,
  format: 'esm',
  sourcemap: true,
  entryFileNames: '[name].mjs',
  chunkFileNames: '[name]-[hash].mjs',
});
await bundle.close();

const current = {
  entry: `${relative(bundleDir, directory)}/main.mjs`,
  builds: bundleInputs().map((path) => relative(bundleDir, path)),
};
const file = join(bundleDir, 'current.json');
await writeFile(`${file}.new`, JSON.stringify(current));
// What is built while the bundle is written is newer than it.
await utimes(`${file}.new`, startedAt, startedAt);
await rename(`${file}.new`, file);

const directories = (await readdir(bundleDir, { withFileTypes: true }))
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();
for (const name of directories.slice(0, -2)) {
  await rm(join(bundleDir, name), { recursive: true, force: true });
}
