import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type {
  BuildTemplateOptions,
  TemplateInfo,
  TemplateSource,
  TemplateStore,
} from '@sandport/driver';
import { errnoOf } from '@sandport/linux';
import { SandportFault, type TemplateName, templateNameSchema } from '@sandport/protocol';
import { buildFault } from './build-fault.ts';
import { buildTemplate } from './build.ts';
import { collectAll, collectVersion, collectVersions, removeEmptyHome } from './collect.ts';
import { baseRecipe } from './recipes/base.ts';
import { findRecipe, recipes } from './recipes/index.ts';
import { SharedBuilds } from './shared-builds.ts';
import { imageSource } from './sources/image.ts';
import { dockerfileSource } from './sources/dockerfile.ts';
import { packagesSource, recipeSource } from './sources/packages.ts';
import type { RootSource } from './sources/root-source.ts';
import { type SandboxDisks, sandboxSource } from './sources/sandbox.ts';
import { lockTemplate } from './template-lock.ts';
import { markUse, unmarkUse } from './uses.ts';
import {
  currentFile,
  currentVersion,
  readVersion,
  type TemplateVersion,
  versionNames,
} from './version.ts';

/** The templates of one directory, which several daemons may share. */
export class LocalTemplates implements TemplateStore {
  readonly #directory: string;
  readonly #builds = new SharedBuilds();
  readonly #failed = new Set<string>();
  readonly #versions = new Map<string, TemplateVersion>();
  readonly #background = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  #sandboxes: SandboxDisks | undefined;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o755 });
  }

  /** Where templates that are made of sandboxes come from. */
  useSandboxes(disks: SandboxDisks): void {
    this.#sandboxes = disks;
  }

  /** Deletes, aside, what earlier daemons left unused or unfinished. To be called once at start. */
  collect(): void {
    this.#aside(collectAll(this.#directory, this.#closing.signal));
  }

  async list(): Promise<readonly TemplateInfo[]> {
    const own = readdirSync(this.#directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && currentVersion(this.#directory, entry.name))
      .map((entry) => entry.name);
    const names = new Set([...recipes.map(({ name }) => name), ...own, ...this.#builds.names]);
    return [...names]
      .map((name) => templateNameSchema.safeParse(name).data)
      .filter((name) => name !== undefined)
      .map((name) => this.#info(name));
  }

  async build(name: TemplateName, options: BuildTemplateOptions = {}): Promise<TemplateInfo> {
    const { source = { kind: 'recipe' }, defaults = {}, onProgress, signal } = options;
    const takeOthers = source.kind === 'recipe';
    const start = async (onLine: (line: string) => void, stop: AbortSignal) => {
      try {
        await buildTemplate(name, {
          templatesDir: this.#directory,
          source: this.#rootSource(name, source),
          defaults,
          takeOthers,
          onLine,
          signal: stop,
        });
        this.#failed.delete(name);
      } catch (error) {
        if (stop.aborted) throw error;
        this.#failed.add(name);
        throw buildFault(name, source, error);
      }
    };
    const key = JSON.stringify([source, defaults]);
    await this.#builds.join(name, key, start, { onLine: onProgress, signal });
    return this.#info(name);
  }

  async remove(name: TemplateName): Promise<void> {
    if (findRecipe(name) !== undefined)
      throw new SandportFault(
        'template_not_removable',
        `The template "${name}" comes with Sandport and cannot be removed.`,
        { template: name },
      );
    if (currentVersion(this.#directory, name) === undefined) return;
    using lock = await lockTemplate(this.#directory, name);
    void lock;
    rmSync(currentFile(this.#directory, name), { force: true });
    await collectVersions(this.#directory, name);
    removeEmptyHome(this.#directory, name);
  }

  /**
   * The version that a new sandbox stands on, marked as used by it.
   * @throws SandportFault `template_not_found`; `create_failed` when the template is not built
   */
  acquire(name: string, userId: string, userDir: string): TemplateVersion {
    // A version can vanish between reading its name and the mark; the next look finds the new one.
    for (let attempt = 0; attempt < 3; attempt++) {
      const version = currentVersion(this.#directory, name);
      if (version === undefined) break;
      const found = this.acquireVersion(name, version, userId, userDir);
      if (found !== undefined) return found;
    }
    if (findRecipe(name) === undefined)
      throw new SandportFault('template_not_found', `No template is named "${name}".`, {
        template: name,
      });
    const reason = `the template "${name}" is not built; run: sandport template build ${name}`;
    throw new SandportFault('create_failed', `The sandbox was not started: ${reason}.`, { reason });
  }

  /** Marks a version as used, also one that is not the current one; undefined when it is gone. */
  acquireVersion(
    name: string,
    version: string,
    userId: string,
    userDir: string,
  ): TemplateVersion | undefined {
    const found = this.find(name, version);
    if (found === undefined) return undefined;
    try {
      markUse(found.directory, userId, userDir);
    } catch (error) {
      // Gone, as the next look will tell. Any other failure would leave it unmarked.
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    const still = readVersion(this.#directory, name, version);
    if (still === undefined) this.#versions.delete(`${name}/${version}`);
    return still;
  }

  /** Ends what {@link acquire} noted; the last user takes an old version with it. Idempotent. */
  release(name: string, version: string, userId: string): void {
    unmarkUse(join(this.#directory, name, version), userId);
    if (currentVersion(this.#directory, name) === version) return;
    this.#versions.delete(`${name}/${version}`);
    this.#aside(this.#collectOne(name, version));
  }

  /** A version by its name, also when it is not the current one. */
  find(name: string, version: string): TemplateVersion | undefined {
    const key = `${name}/${version}`;
    const known = this.#versions.get(key) ?? readVersion(this.#directory, name, version);
    if (known) this.#versions.set(key, known);
    return known;
  }

  /** Ends builds, and waits for deletions that are under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#builds.close(new SandportFault('shutting_down', 'The driver is stopping.'));
    await Promise.all(this.#background);
  }

  async #collectOne(name: string, version: string): Promise<void> {
    await collectVersion(this.#directory, name, version);
    if (currentVersion(this.#directory, name) !== undefined) return;
    if (versionNames(this.#directory, name).length > 0) return;
    using lock = await lockTemplate(this.#directory, name, this.#closing.signal);
    void lock;
    removeEmptyHome(this.#directory, name);
  }

  /** What cannot be deleted is tried again at the next start. */
  #aside(work: Promise<void>): void {
    const quiet = work.catch(() => {}).finally(() => this.#background.delete(quiet));
    this.#background.add(quiet);
  }

  #rootSource(name: TemplateName, source: TemplateSource): RootSource {
    switch (source.kind) {
      case 'recipe':
        return recipeSource(this.#recipe(name));
      case 'packages':
        return packagesSource(source.packages);
      case 'image':
      case 'archive':
        return imageSource(source);
      case 'dockerfile':
        return dockerfileSource(source);
      case 'sandbox':
        if (this.#sandboxes === undefined) throw new Error('there are no sandboxes here');
        return sandboxSource(source.sandbox, this.#sandboxes);
    }
  }

  #recipe(name: TemplateName) {
    const recipe = findRecipe(name);
    if (recipe) return recipe;
    const known = recipes.map((each) => each.name);
    throw new SandportFault('template_not_found', `No template is named "${name}".`, {
      template: name,
      known,
    });
  }

  #info(name: TemplateName): TemplateInfo {
    const version = currentVersion(this.#directory, name);
    const built = version === undefined ? undefined : this.find(name, version);
    const recipe = findRecipe(name);
    const { user, workdir, env, limits } = recipe ?? baseRecipe;
    const idle = this.#failed.has(name) ? 'failed' : 'absent';
    const sizes = versionNames(this.#directory, name).map(
      (each) => this.find(name, each)?.record.sizeBytes ?? 0,
    );
    return {
      name,
      description: built?.record.description ?? recipe?.description ?? '',
      status: built ? 'ready' : this.#builds.has(name) ? 'building' : idle,
      version,
      source: built?.record.source ?? (recipe ? 'Debian packages' : ''),
      removable: recipe === undefined,
      sizeBytes: sizes.reduce((sum, bytes) => sum + bytes, 0),
      builtAt: built?.record.builtAt,
      user: built?.record.user ?? user.name,
      workdir: built?.record.workdir ?? workdir,
      env: built?.record.env ?? env,
      limits: built?.record.limits ?? limits,
      network: built?.record.network,
    };
  }
}
