import type { TemplateInfo, TemplateStore } from '@sandport/driver';
import {
  SandportFault,
  type TemplateName,
  type TemplateObject,
  templateNameSchema,
} from '@sandport/protocol';

/** Names by which people know templates of other systems, and ours. */
export const defaultAliases: Readonly<Record<string, string>> = {
  default: 'base',
  'python-sandbox-template': 'base',
  'ubuntu-24.04': 'base',
};

/** Templates by name or alias. */
export class Templates {
  readonly #store: TemplateStore;
  readonly #aliases: ReadonlyMap<string, string>;

  /** @param aliases alias → template name; they come before template names. */
  constructor(store: TemplateStore, aliases: Readonly<Record<string, string>>) {
    this.#store = store;
    this.#aliases = new Map(Object.entries(aliases));
  }

  async list(): Promise<TemplateObject[]> {
    return (await this.#store.list()).map((info) => this.#toObject(info));
  }

  async get(name: string): Promise<TemplateObject> {
    const { info, known } = await this.#find(name);
    if (info !== undefined) return this.#toObject(info);
    throw new SandportFault('template_not_found', `No template is called "${name}".`, {
      template: name,
      known,
    });
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
    if (info.status === 'building') return this.#store.build(info.name);
    if (info.status !== 'ready')
      throw new SandportFault(
        'template_not_built',
        `The template "${info.name}" is not built yet; build it with \`sandport template build ${info.name}\`.`,
        { template: info.name },
      );
    return info;
  }

  async build(
    name: string,
    options: { onProgress?: (line: string) => void; signal?: AbortSignal },
  ): Promise<TemplateObject> {
    const target = this.#aliases.get(name) ?? name;
    const parsed = templateNameSchema.safeParse(target);
    if (!parsed.success) await this.get(name);
    return this.#toObject(await this.#store.build(target as TemplateName, options));
  }

  async #find(name: string): Promise<{ info: TemplateInfo | undefined; known: string[] }> {
    const all = await this.#store.list();
    const target = this.#aliases.get(name) ?? name;
    return {
      info: all.find((template) => template.name === target),
      known: [...all.map((template) => template.name), ...this.#aliases.keys()].sort(),
    };
  }

  #toObject(info: TemplateInfo): TemplateObject {
    return {
      name: info.name,
      description: info.description,
      aliases: [...this.#aliases].filter(([, to]) => to === info.name).map(([alias]) => alias),
      status: info.status,
      ...(info.version === undefined ? {} : { version: info.version }),
      source: info.source,
      removable: info.removable,
      size_bytes: info.sizeBytes,
      ...(info.builtAt === undefined ? {} : { built_at: info.builtAt.toISOString() }),
      user: info.user,
      workdir: info.workdir,
      cpu: info.limits.cpu,
      env: { ...info.env },
      memory_mb: Math.round(info.limits.memoryBytes / 2 ** 20),
      ...(info.limits.diskBytes === undefined
        ? {}
        : { disk_mb: Math.round(info.limits.diskBytes / 2 ** 20) }),
    };
  }
}
