import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TemplateInfo, TemplateStore } from '@sandport/driver';
import { SandportFault, type TemplateName } from '@sandport/protocol';
import { buildTemplate } from './build.ts';
import type { TemplateRecipe } from './recipe.ts';
import { findRecipe, recipes } from './recipes/index.ts';
import { markUse, unmarkUse } from './uses.ts';
import { currentVersion, readVersion, type TemplateVersion } from './version.ts';

interface RunningBuild {
  readonly done: Promise<void>;
  readonly listeners: Set<(line: string) => void>;
  readonly abort: AbortController;
  waiting: number;
}

/** The templates of one directory, which several daemons may share. */
export class LocalTemplates implements TemplateStore {
  readonly #directory: string;
  readonly #builds = new Map<TemplateName, RunningBuild>();
  readonly #failed = new Set<TemplateName>();
  readonly #versions = new Map<string, TemplateVersion>();

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o755 });
  }

  async list(): Promise<readonly TemplateInfo[]> {
    return recipes.map((recipe) => this.#info(recipe));
  }

  async build(
    name: TemplateName,
    options: { onProgress?: (line: string) => void; signal?: AbortSignal } = {},
  ): Promise<TemplateInfo> {
    const recipe = this.#recipe(name);
    const build = this.#builds.get(name) ?? this.#start(recipe);
    const { onProgress, signal } = options;
    if (onProgress) build.listeners.add(onProgress);
    build.waiting += 1;
    let left = false;
    const leave = () => {
      if (left) return;
      left = true;
      build.waiting -= 1;
      if (onProgress) build.listeners.delete(onProgress);
      if (build.waiting === 0) build.abort.abort(signal?.reason);
    };
    const aborted = new Promise<never>((_, reject) => {
      const onAbort = () => {
        leave();
        reject(signal?.reason);
      };
      if (signal?.aborted) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
    });
    aborted.catch(() => {});
    try {
      await Promise.race([build.done, aborted]);
    } finally {
      leave();
    }
    return this.#info(recipe);
  }

  async remove(name: TemplateName): Promise<void> {
    throw new SandportFault('template_not_removable', `The template "${name}" cannot be removed.`, {
      template: name,
    });
  }

  /**
   * The version that a new sandbox stands on, marked as used by it.
   * @throws SandportFault `create_failed` when the template is not built, `template_not_found`
   */
  acquire(name: TemplateName, sandboxId: string, sandboxDir: string): TemplateVersion {
    this.#recipe(name);
    // A version can vanish between reading its name and the mark; the next look finds the new one.
    for (let attempt = 0; attempt < 3; attempt++) {
      const version = currentVersion(this.#directory, name);
      const found = version === undefined ? undefined : this.find(name, version);
      if (found === undefined) break;
      markUse(found.directory, sandboxId, sandboxDir);
      if (readVersion(this.#directory, name, found.version) !== undefined) return found;
      this.#versions.delete(`${name}/${found.version}`);
    }
    const reason = `the template "${name}" is not built; run: sandport template build ${name}`;
    throw new SandportFault('create_failed', `The sandbox was not started: ${reason}.`, { reason });
  }

  /** Ends what {@link acquire} noted. Idempotent. */
  release(name: string, version: string, sandboxId: string): void {
    unmarkUse(join(this.#directory, name, version), sandboxId);
  }

  /** A version by its name, also when it is not the current one. */
  find(name: string, version: string): TemplateVersion | undefined {
    const key = `${name}/${version}`;
    const known = this.#versions.get(key) ?? readVersion(this.#directory, name, version);
    if (known) this.#versions.set(key, known);
    return known;
  }

  #recipe(name: TemplateName): TemplateRecipe {
    const recipe = findRecipe(name);
    if (recipe) return recipe;
    const known = recipes.map((each) => each.name);
    throw new SandportFault('template_not_found', `No template is named "${name}".`, {
      template: name,
      known,
    });
  }

  #start(recipe: TemplateRecipe): RunningBuild {
    const abort = new AbortController();
    const listeners = new Set<(line: string) => void>();
    const lines = (line: string) => {
      for (const listener of listeners) listener(line);
    };
    const done = buildTemplate(recipe, {
      templatesDir: this.#directory,
      onLine: lines,
      signal: abort.signal,
    })
      .then(() => void this.#failed.delete(recipe.name))
      .catch((error: unknown) => {
        if (!abort.signal.aborted) this.#failed.add(recipe.name);
        throw buildFault(recipe.name, error);
      })
      .finally(() => this.#builds.delete(recipe.name));
    done.catch(() => {});
    const build = { done, listeners, abort, waiting: 0 };
    this.#builds.set(recipe.name, build);
    return build;
  }

  #info(recipe: TemplateRecipe): TemplateInfo {
    const version = currentVersion(this.#directory, recipe.name);
    const built = version === undefined ? undefined : this.find(recipe.name, version);
    const idle = this.#failed.has(recipe.name) ? 'failed' : 'absent';
    const status = this.#builds.has(recipe.name) && !built ? 'building' : built ? 'ready' : idle;
    return {
      name: recipe.name,
      description: recipe.description,
      status,
      version,
      source: 'Debian packages',
      removable: false,
      sizeBytes: built?.record.sizeBytes ?? 0,
      builtAt: built?.record.builtAt,
      user: built?.record.user ?? recipe.user.name,
      workdir: built?.record.workdir ?? recipe.workdir,
      env: built?.record.env ?? recipe.env,
      limits: recipe.limits,
    };
  }
}

function buildFault(template: string, error: unknown): SandportFault {
  const reason = error instanceof Error ? error.message : String(error);
  if (/No space left on device|ENOSPC/.test(reason))
    return new SandportFault('disk_full', `The disk is full; "${template}" was not built.`);
  const missing = /failed to execute mmdebstrap|spawn setpriv ENOENT/.test(reason);
  const why = missing ? 'mmdebstrap is missing; run: apt-get install mmdebstrap' : reason;
  return new SandportFault(
    'template_build_failed',
    `The template "${template}" could not be built: ${why}.`,
    { template, reason: why },
    { cause: error },
  );
}
