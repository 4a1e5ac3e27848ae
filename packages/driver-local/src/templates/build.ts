import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TemplateDefaults } from '@sandport/driver';
import { RootedFsError, runProgram } from '@sandport/linux';
import { SandportFault, type TemplateName } from '@sandport/protocol';
import { deleteDeadTree } from '../sandbox/delete-tree.ts';
import {
  buildMark,
  collectVersions,
  removeEmptyHome,
  removeUnfinished,
  unfinishedPrefix,
} from './collect.ts';
import { finishRoot, type FinishRootOptions } from './finish-root.ts';
import { InvalidImage } from './images/invalid-image.ts';
import { findUser } from './passwd.ts';
import { readTextIn } from './root-files.ts';
import type { RootSource } from './sources/root-source.ts';
import { lockTemplate } from './template-lock.ts';
import { markUse, unmarkUse } from './uses.ts';
import {
  currentVersion,
  newVersionName,
  setCurrentVersion,
  type VersionRecord,
} from './version.ts';

export interface BuildOptions {
  readonly templatesDir: string;
  readonly source: RootSource;
  readonly defaults: TemplateDefaults;
  /** Take a version that another daemon has built while this one waited for its turn. */
  readonly takeOthers: boolean;
  readonly onLine: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Builds a new version of a template beside the others and makes it the current one. */
export async function buildTemplate(name: TemplateName, options: BuildOptions): Promise<void> {
  const { templatesDir, source, defaults, onLine, signal } = options;
  const home = join(templatesDir, name);
  const before = currentVersion(templatesDir, name);
  using lock = await lockTemplate(templatesDir, name, signal);
  void lock;
  await removeUnfinished(templatesDir, name);
  const meanwhile = currentVersion(templatesDir, name);
  if (options.takeOthers && meanwhile !== before && meanwhile !== undefined) return;

  const version = newVersionName();
  const unfinished = join(home, unfinishedPrefix + version);
  const rootPath = join(unfinished, 'rootfs');
  // Closed: programs that gain rights by their mode are nothing for users of the host.
  mkdirSync(unfinished, { mode: 0o700 });
  try {
    const made = await source({ directory: unfinished, rootPath, onLine, signal });
    signal?.throwIfAborted();
    const workdir = defaults.workdir ?? made.workdir;
    await finish(rootPath, { ...made.finish, workdir });
    const user = defaults.user ?? made.user;
    if (findUser(readTextIn(rootPath, '/etc/passwd') ?? '', user) === undefined)
      throw new SandportFault('invalid_request', `It has no user "${user}".`, { field: 'user' });
    const description = defaults.description ?? made.description;
    const record: VersionRecord = {
      builtAt: new Date(),
      sizeBytes: await diskUsage(rootPath),
      user,
      workdir,
      env: { ...made.env, ...defaults.env },
      source: made.source,
      ...(description === undefined ? {} : { description }),
      limits: { ...made.limits, ...defined(defaults.limits ?? {}) },
      ...(defaults.network === undefined ? {} : { network: defaults.network }),
    };
    signal?.throwIfAborted();
    writeFileSync(join(unfinished, 'template.json'), `${JSON.stringify(record, null, 2)}\n`);
    markUse(unfinished, buildMark, home);
    renameSync(unfinished, join(home, version));
  } catch (error) {
    await deleteDeadTree(home, unfinishedPrefix + version);
    removeEmptyHome(templatesDir, name);
    throw error;
  }
  setCurrentVersion(templatesDir, name, version);
  unmarkUse(join(home, version), buildMark);
  await collectVersions(templatesDir, name);
}

/** @throws InvalidImage for a root that cannot be made to serve */
async function finish(rootPath: string, options: FinishRootOptions): Promise<void> {
  try {
    await finishRoot(rootPath, options);
  } catch (error) {
    if (!(error instanceof RootedFsError) || error.kind === 'disk_full' || error.kind === 'io')
      throw error;
    throw new InvalidImage(`its files cannot be used: ${error.message}`, { cause: error });
  }
}

/** Without the fields that are undefined. */
function defined<Shape extends object>(object: Shape): Partial<Shape> {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<Shape>; // A part of its own entries.
}

async function diskUsage(directory: string): Promise<number> {
  const { stdout } = await runProgram('du', ['-sx', '-B1', directory]);
  return Number.parseInt(stdout, 10);
}
