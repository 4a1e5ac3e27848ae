import type { TemplateInfo, TemplateStore } from '@sandport/driver';
import {
  type BuildTemplate,
  SandportFault,
  type SandboxId,
  type TemplateName,
  type TemplateObject,
  templateNameSchema,
} from '@sandport/protocol';
import type { Principal } from './principal.ts';
import { TemplateArchives } from './template-builds/archives.ts';
import { type Build, TemplateBuilds } from './template-builds/builds.ts';
import { defaultsOf, sourceOf } from './template-builds/source-of.ts';

/** Names by which people know templates of other systems, and ours. */
export const defaultAliases: Readonly<Record<string, string>> = {
  default: 'base',
  'python-sandbox-template': 'base',
  'ubuntu-24.04': 'base',
};

/** A sandbox whose disk becomes a template. */
export interface TemplateSandbox {
  readonly id: SandboxId;
  /** Aborts when it is to be deleted. */
  readonly signal: AbortSignal;
  /** Runs the work while nothing else changes the sandbox's state. */
  hold<Result>(work: () => Promise<Result>): Promise<Result>;
}

export interface TemplatesOptions {
  readonly store: TemplateStore;
  /** Alias → template name; they come before template names. */
  readonly aliases: Readonly<Record<string, string>>;
  /** Directory for uploaded archives, of this engine alone. */
  readonly archivesDir: string;
  /** @throws SandportFault `sandbox_not_found` */
  readonly sandbox: (principal: Principal, idOrName: string) => TemplateSandbox;
  /** Whether sandboxes of the template are made ahead. */
  readonly isPooled: (template: TemplateName) => boolean;
}

/** Templates by name or alias, and how they are built. */
export class Templates {
  readonly builds = new TemplateBuilds();
  readonly archives: TemplateArchives;
  readonly #store: TemplateStore;
  readonly #aliases: ReadonlyMap<string, string>;
  readonly #sandbox: TemplatesOptions['sandbox'];
  readonly #isPooled: TemplatesOptions['isPooled'];

  constructor({ store, aliases, archivesDir, sandbox, isPooled }: TemplatesOptions) {
    this.#store = store;
    this.#sandbox = sandbox;
    this.#isPooled = isPooled;
    this.#aliases = new Map(Object.entries(aliases));
    this.archives = new TemplateArchives(archivesDir);
  }

  async list(): Promise<TemplateObject[]> {
    return (await this.#store.list()).map((info) => this.toObject(info));
  }

  /** What an alias stands for; other names as they are. */
  nameOf(name: string): string {
    return this.#aliases.get(name) ?? name;
  }

  async get(name: string): Promise<TemplateObject> {
    return this.toObject(await this.#existing(name));
  }

  /** The template that a new sandbox is made from; waits for one that is being built. */
  async resolve(name: string): Promise<TemplateInfo> {
    const { info, known } = await this.#find(name);
    if (info === undefined)
      throw new SandportFault(
        'unknown_template',
        `No template or alias is called "${name}"; known are ${known.join(', ')}.`,
        { template: name, known },
      );
    if (info.status === 'ready') return info;
    const build = this.builds.open(info.name);
    if (build !== undefined) return build.done;
    if (info.status === 'building') return this.#store.build(info.name);
    throw new SandportFault(
      'template_not_built',
      `The template "${info.name}" is not built yet; build it with \`sandport template build ${info.name}\`.`,
      { template: info.name },
    );
  }

  /**
   * Asks for a build. It begins when its turn has come, and goes on whoever waits for it.
   * @throws SandportFault `template_not_found`, `template_exists`, `sandbox_not_found`,
   * `invalid_request`
   */
  async startBuild(principal: Principal, request: BuildTemplate): Promise<Build> {
    const { from_sandbox: idOrName } = request;
    const sandbox = idOrName === undefined ? undefined : this.#sandbox(principal, idOrName);
    return this.#start(request, sandbox);
  }

  async #start(request: BuildTemplate, sandbox?: TemplateSandbox): Promise<Build> {
    const target = this.#aliases.get(request.name) ?? request.name;
    const name = templateNameSchema.parse(target);
    await this.#checkName(name, request);
    const taken = request.upload === undefined ? undefined : this.archives.take(request.upload);
    const source = sourceOf(request, { archivePath: taken?.path, sandbox: sandbox?.id });
    const defaults = defaultsOf(request);
    return this.builds.add({
      name,
      key: JSON.stringify([source, defaults]),
      run: async (onProgress, signal) => {
        // One that waited for its turn may find that another took the name.
        await this.#checkName(name, request);
        const build = (until: AbortSignal) =>
          this.#store.build(name, { source, defaults, onProgress, signal: until });
        return sandbox === undefined ? build(signal) : whileItIsThere(sandbox, build, signal);
      },
      ...(taken === undefined ? {} : { cleanUp: () => taken.remove() }),
    });
  }

  /** Builds a template that comes with Sandport, and waits for it. */
  async build(
    name: string,
    options: { onProgress?: (line: string) => void; signal?: AbortSignal } = {},
  ): Promise<TemplateObject> {
    const { onProgress = () => undefined, signal = new AbortController().signal } = options;
    const build = await this.#start({ name: templateNameSchema.parse(name) });
    const onAbort = () => void this.builds.cancel(build.id);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      for await (const line of build.log.follow(signal)) onProgress(line);
      return this.toObject(await build.done);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** @throws SandportFault `template_not_found`, `template_not_removable` */
  async remove(name: string): Promise<void> {
    const { name: template } = await this.#existing(name);
    if (this.#isPooled(template))
      throw new SandportFault(
        'template_not_removable',
        `A pool keeps sandboxes of the template "${template}" ready; delete the pool first.`,
        { template },
      );
    await this.#store.remove(template);
  }

  /** Ends builds that are under way. */
  close(): void {
    this.builds.close();
    this.archives.close();
  }

  toObject(info: TemplateInfo): TemplateObject {
    const { limits } = info;
    return {
      name: info.name,
      description: info.description,
      aliases: [...this.#aliases].filter(([, to]) => to === info.name).map(([alias]) => alias),
      status: this.#statusOf(info),
      ...(info.version === undefined ? {} : { version: info.version }),
      source: info.source,
      removable: info.removable,
      size_bytes: info.sizeBytes,
      ...(info.builtAt === undefined ? {} : { built_at: info.builtAt.toISOString() }),
      user: info.user,
      workdir: info.workdir,
      env: info.env,
      cpu: limits.cpu,
      memory_mb: Math.round(limits.memoryBytes / 2 ** 20),
      ...(limits.diskBytes === undefined
        ? {}
        : { disk_mb: Math.round(limits.diskBytes / 2 ** 20) }),
      ...(info.network === undefined ? {} : { network: info.network }),
    };
  }

  /** One that waits for its turn is being built for everybody who asks. */
  #statusOf({ name, status }: TemplateInfo): TemplateInfo['status'] {
    const waits = status !== 'ready' && this.builds.open(name) !== undefined;
    return waits ? 'building' : status;
  }

  async #checkName(name: TemplateName, request: BuildTemplate): Promise<void> {
    const { info, known } = await this.#find(name);
    const { kind } = sourceOf(request, { archivePath: request.upload, sandbox: undefined });
    const named = kind !== 'recipe' || request.from_sandbox !== undefined;
    if (info === undefined) {
      if (named) return;
      throw notFound(request.name, known);
    }
    if (!info.removable) {
      if (!named) return;
      throw new SandportFault(
        'template_exists',
        `The template "${name}" comes with Sandport; choose another name.`,
        { template: name },
      );
    }
    if (!named)
      throw new SandportFault(
        'invalid_request',
        `The template "${name}" has no recipe; say what it is made of, as "image".`,
        { field: 'image' },
      );
    if (info.status === 'ready' && request.replace !== true)
      throw new SandportFault(
        'template_exists',
        `A template named "${name}" is there; send "replace" to make a new version of it.`,
        { template: name },
      );
  }

  async #existing(name: string): Promise<TemplateInfo> {
    const { info, known } = await this.#find(name);
    if (info !== undefined) return info;
    throw notFound(name, known);
  }

  async #find(name: string): Promise<{ info: TemplateInfo | undefined; known: string[] }> {
    const all = await this.#store.list();
    const target = this.#aliases.get(name) ?? name;
    return {
      info: all.find((template) => template.name === target),
      known: [...all.map((template) => template.name), ...this.#aliases.keys()].sort(),
    };
  }
}

const notFound = (template: string, known: readonly string[]): SandportFault =>
  new SandportFault('template_not_found', `No template is called "${template}".`, {
    template,
    known,
  });

/** Ends the work when the sandbox is deleted, which waits for that. */
async function whileItIsThere<Result>(
  sandbox: TemplateSandbox,
  work: (signal: AbortSignal) => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  const until = AbortSignal.any([signal, sandbox.signal]);
  try {
    return await sandbox.hold(() => work(until));
  } catch (error) {
    if (!sandbox.signal.aborted || signal.aborted) throw error;
    const { id } = sandbox;
    throw new SandportFault('sandbox_not_found', `The sandbox ${id} was deleted.`, { sandbox: id });
  }
}
