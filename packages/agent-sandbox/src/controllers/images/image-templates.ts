import { createHash } from 'node:crypto';
import type { Engine, Principal } from '@sandport/engine';
import { templateNameSchema } from '@sandport/protocol';

/** What the image of a pod template is here. */
export type ImageState =
  | { readonly kind: 'ready'; readonly template: string }
  | {
      readonly kind: 'building';
      readonly message: string;
      /** Resolves when it has ended, well or not. */
      readonly ended: Promise<void>;
    }
  | { readonly kind: 'failed'; readonly message: string };

export interface ImageOptions {
  /** Whether the image may come from a registry. */
  readonly mayBuild: boolean;
  /** Speak to the registry without TLS. */
  readonly insecure: boolean;
}

/** Names of images of other projects that a template of ours stands for. */
const knownImages: ReadonlyMap<string, string> = new Map([
  ['python-runtime-sandbox', 'base'],
  ['python-sandbox', 'base'],
  ['sandboxd', 'base'],
]);

/** How long a failed build is not tried again, in milliseconds. */
const retryAfterMs = 60_000;

/** The last part of an image's name, without tag and digest. */
export function localName(image: string): string {
  const [withoutDigest = ''] = image.split('@');
  const last = withoutDigest.slice(withoutDigest.lastIndexOf('/') + 1);
  const [name = ''] = last.split(':');
  return name;
}

/** Name of the template that an image of a registry is unpacked to. */
export function derivedName(image: string): string {
  const readable = image
    .slice(image.lastIndexOf('/') + 1)
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, 40);
  const digest = createHash('sha256').update(image).digest('hex').slice(0, 12);
  return `image-${readable === '' ? 'x' : readable}-${digest}`;
}

/** Finds the template for an image: one of ours, or one that is built from the registry. */
export class ImageTemplates {
  readonly #engine: Pick<Engine, 'templates'>;
  readonly #principal: Principal;

  constructor(engine: Pick<Engine, 'templates'>, principal: Principal) {
    this.#engine = engine;
    this.#principal = principal;
  }

  /** Whether a template or alias has this name. */
  async has(name: string): Promise<boolean> {
    return (await this.#find(name)) !== undefined;
  }

  async resolve(image: string, options: ImageOptions): Promise<ImageState> {
    const name = localName(image);
    const found = (await this.#find(name)) ?? (await this.#find(knownImages.get(name) ?? ''));
    if (found?.status === 'ready') return { kind: 'ready', template: found.name };
    if (found !== undefined) return this.#build({ name: found.name }, image, options);
    const derived = derivedName(image);
    const built = await this.#find(derived);
    if (built?.status === 'ready') return { kind: 'ready', template: derived };
    const { insecure } = options;
    return this.#build(
      {
        name: derived,
        image,
        ...(insecure ? { insecure } : {}),
        description: `Image ${image}`.slice(0, 500),
      },
      image,
      options,
    );
  }

  async #find(name: string) {
    if (name === '') return undefined;
    const all = await this.#engine.templates.list();
    const target = this.#engine.templates.nameOf(name);
    return all.find((template) => template.name === target);
  }

  async #build(
    { name, ...source }: { name: string; image?: string; insecure?: boolean; description?: string },
    image: string,
    { mayBuild }: ImageOptions,
  ): Promise<ImageState> {
    const { templates } = this.#engine;
    const open = templates.builds.open(name);
    if (open === undefined) {
      const [last] = templates.builds.list(name);
      const isRecent = Date.now() - Date.parse(last?.ended_at ?? '') < retryAfterMs;
      if (last?.status === 'failed' && isRecent)
        return { kind: 'failed', message: last.error ?? 'The build of the template failed.' };
      if (!mayBuild)
        return {
          kind: 'failed',
          message: `No template is called "${localName(image)}", and the key that asked for the image "${image}" may not build templates; an administrator can, with \`sandport template build\`.`,
        };
    }
    try {
      const build =
        open ??
        (await templates.startBuild(this.#principal, {
          name: templateNameSchema.parse(name),
          ...source,
        }));
      const end = () => undefined;
      return {
        kind: 'building',
        message: `The template "${name}" is being built from ${image}.`,
        ended: build.done.then(end, end),
      };
    } catch (error) {
      return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
    }
  }
}
