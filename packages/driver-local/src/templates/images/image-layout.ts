import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InvalidImage } from './invalid-image.ts';

/** A layer of an image, on the disk. */
export interface ImageLayer {
  readonly path: string;
  readonly digest: string;
  readonly packing: 'none' | 'gzip';
}

/** What an image says of itself. */
export interface ImageConfig {
  readonly user: string;
  readonly workdir: string;
  readonly env: readonly string[];
}

export interface Image {
  readonly config: ImageConfig;
  readonly layers: readonly ImageLayer[];
}

const maxDocumentBytes = 8 * 1024 * 1024;
const maxLayers = 512;

const descriptorSchema = z.object({
  mediaType: z.string(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.int().min(0),
});
const indexSchema = z.object({ manifests: z.array(descriptorSchema).min(1) });
const manifestSchema = z.object({
  config: descriptorSchema,
  layers: z.array(descriptorSchema).max(maxLayers),
});
const configSchema = z.object({
  architecture: z.string(),
  os: z.string(),
  config: z
    .object({
      User: z.string().nullish(),
      WorkingDir: z.string().nullish(),
      Env: z.array(z.string()).nullish(),
    })
    .nullish(),
});

/** Names of processors in images, by Node's. */
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };
export const imageArchitecture: string = architectures[process.arch] ?? process.arch;

/**
 * Reads the one image of an OCI layout that skopeo has written, whose digests it has checked.
 * @throws InvalidImage when it cannot run on this machine, or is not understood
 */
export async function readImage(layout: string): Promise<Image> {
  const index = await readDocument(join(layout, 'index.json'), indexSchema, 'index');
  const [top] = index.manifests;
  if (top === undefined) throw new InvalidImage('its index is empty');
  const manifest = await readDocument(blobPath(layout, top.digest), manifestSchema, 'manifest');
  const configPath = blobPath(layout, manifest.config.digest);
  const { architecture, os, config } = await readDocument(configPath, configSchema, 'config');
  if (os !== 'linux' || architecture !== imageArchitecture)
    throw new InvalidImage(
      `it is for ${os}/${architecture}, and this machine is linux/${imageArchitecture}`,
    );
  return {
    config: {
      user: config?.User ?? '',
      workdir: config?.WorkingDir ?? '',
      env: config?.Env ?? [],
    },
    layers: manifest.layers.map(({ mediaType, digest }) => ({
      path: blobPath(layout, digest),
      digest,
      packing: packingOf(mediaType),
    })),
  };
}

const blobPath = (layout: string, digest: string): string =>
  join(layout, 'blobs/sha256', digest.slice('sha256:'.length));

function packingOf(mediaType: string): 'none' | 'gzip' {
  if (/[.+]tar[.+]gzip$/.test(mediaType)) return 'gzip';
  if (/[.+]tar$/.test(mediaType)) return 'none';
  throw new InvalidImage(`a layer has the type ${JSON.stringify(mediaType)}, which is not known`);
}

async function readDocument<Shape>(
  path: string,
  schema: z.ZodType<Shape>,
  what: string,
): Promise<Shape> {
  const found = await lstat(path).catch(() => undefined);
  if (!found?.isFile()) throw new InvalidImage(`its ${what} is missing`);
  if (found.size > maxDocumentBytes) throw new InvalidImage(`its ${what} is too large`);
  const text = await readFile(path, 'utf8');
  const parsed = schema.safeParse(parseJson(text, what));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const at = issue === undefined ? '' : ` (${issue.path.join('.')}: ${issue.message})`;
  throw new InvalidImage(`its ${what} is not as it must be${at}`);
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidImage(`its ${what} is not valid JSON`, { cause: error });
  }
}
