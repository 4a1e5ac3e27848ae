import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../lib/failure.mjs';
import { inRepo, logsDir, repoDir, setupDir } from '../lib/paths.mjs';
import { asInvokingUser } from '../lib/privilege.mjs';
import { run } from '../lib/run.mjs';
import { filesBelow, hashTimes, stampMatches, writeStamp } from '../lib/stamp.mjs';

/** Builds the guest's init; its own script does nothing when it is newer than its sources. */
export async function buildGuestInit(say) {
  const folder = inRepo('packages/guest-init');
  const inputs = hashTimes([...filesBelow(join(folder, 'native')), join(folder, 'build.mjs')]);
  const stamp = join(setupDir, 'stamps/guest-init');
  if (existsSync(join(folder, 'dist-native/sandport-init')) && stampMatches(stamp, inputs)) {
    return 'up to date';
  }
  const result = await run(process.execPath, [join(folder, 'build.mjs')], {
    cwd: folder,
    logFile: join(logsDir, 'guest-init.log'),
    onLine: say,
    ...(await asInvokingUser()),
  });
  if (result.code !== 0) {
    throw new Failure(
      'The guest’s init could not be compiled: the lines above say why (it needs gcc and libc6-dev).',
      { output: result.tail.slice(-20) },
    );
  }
  writeStamp(stamp, inputs);
  return 'built';
}

/** Folders of the TypeScript projects, from the root's tsconfig.json. */
export const typeScriptProjects = () =>
  JSON.parse(readFileSync(inRepo('tsconfig.json'), 'utf8')).references.map(({ path }) => path);

/** `tsc -b`, skipped when neither a source nor an output changed since the last success. */
export async function buildTypeScript(say) {
  const projects = typeScriptProjects();
  const sources = projects.flatMap((project) => [
    inRepo(project, 'tsconfig.json'),
    inRepo(project, 'package.json'),
    ...filesBelow(inRepo(project, 'src')),
  ]);
  const shared = ['tsconfig.json', 'tsconfig.base.json', 'node_modules/.package-lock.json'];
  const inputs = hashTimes([...shared.map((name) => inRepo(name)), ...sources]);
  const stamp = join(setupDir, 'stamps/typescript');
  const built = projects.every((project) => existsSync(inRepo(project, 'dist/index.js')));
  if (built && stampMatches(stamp, inputs)) return 'up to date';
  const result = await run(
    process.execPath,
    [inRepo('node_modules/typescript/bin/tsc'), '-b', ...(built ? [] : ['--force'])],
    { cwd: repoDir, onLine: say, ...(await asInvokingUser()) },
  );
  if (result.code !== 0) {
    throw new Failure('The TypeScript sources do not compile: the lines above say where.', {
      output: result.tail.slice(-20),
    });
  }
  writeStamp(stamp, inputs);
  return 'built';
}
