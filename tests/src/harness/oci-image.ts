import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch } from 'node:process';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type RawEntry, rawEntry, rawTar } from './raw-tar.ts';

/** Layers and configuration of an image, right in every respect but for what a test changes. */
export interface ImageSpec {
  /** Tar archives, not packed. */
  readonly layers: readonly Buffer[];
  /** The `config` of the configuration: User, Env, WorkingDir, … @default {} */
  readonly config?: Readonly<Record<string, unknown>>;
  /** @default this machine's */
  readonly architecture?: string;
  /** @default 'linux' */
  readonly os?: string;
  /** Changes a file of the layout before it is written. */
  readonly change?: (file: LayoutFile) => Buffer;
}

export interface LayoutFile {
  readonly kind: 'layer' | 'config' | 'manifest' | 'index';
  readonly bytes: Buffer;
}

const imageArch = arch === 'x64' ? 'amd64' : arch;
const sha256 = (bytes: Buffer): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Files of an OCI layout by their path in it. Layers are packed with gzip. */
export function ociLayout(image: ImageSpec): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const change = image.change ?? (({ bytes }: LayoutFile) => bytes);
  const blob = (mediaType: string, kind: LayoutFile['kind'], bytes: Buffer) => {
    const digest = sha256(bytes);
    files.set(`blobs/sha256/${digest.slice(7)}`, change({ kind, bytes }));
    return { mediaType, digest, size: bytes.length };
  };
  const layers = image.layers.map((layer) =>
    blob('application/vnd.oci.image.layer.v1.tar+gzip', 'layer', gzipSync(layer, { level: 1 })),
  );
  const config = {
    architecture: image.architecture ?? imageArch,
    os: image.os ?? 'linux',
    config: image.config ?? {},
    rootfs: { type: 'layers', diff_ids: image.layers.map(sha256) },
  };
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: blob('application/vnd.oci.image.config.v1+json', 'config', json(config)),
    layers,
  };
  const top = blob(manifest.mediaType, 'manifest', json(manifest));
  const index = json({ schemaVersion: 2, manifests: [top] });
  files.set('index.json', change({ kind: 'index', bytes: index }));
  files.set('oci-layout', json({ imageLayoutVersion: '1.0.0' }));
  return files;
}

/** Writes an OCI layout as a directory. */
export function writeLayout(directory: string, image: ImageSpec): string {
  mkdirSync(join(directory, 'blobs/sha256'), { recursive: true });
  for (const [path, bytes] of ociLayout(image)) writeFileSync(join(directory, path), bytes);
  return directory;
}

/** An OCI archive: the tar of a layout. */
export const ociArchive = (image: ImageSpec): Buffer =>
  rawTar(...[...ociLayout(image)].map(([name, content]) => file(name, content)));

/** What `docker save` makes. */
export function dockerArchive(image: ImageSpec): Buffer {
  const config = Buffer.from(
    JSON.stringify({
      architecture: image.architecture ?? imageArch,
      os: image.os ?? 'linux',
      config: image.config ?? {},
      rootfs: { type: 'layers', diff_ids: image.layers.map(sha256) },
    }),
  );
  const configName = `${sha256(config).slice(7)}.json`;
  const names = image.layers.map((layer) => `${sha256(layer).slice(7)}/layer.tar`);
  const manifest = [{ Config: configName, RepoTags: ['made/by-hand:1'], Layers: names }];
  return rawTar(
    file(configName, config),
    ...image.layers.map((layer, index) => file(names[index] ?? '', layer)),
    file('manifest.json', Buffer.from(JSON.stringify(manifest))),
  );
}

const file = (name: string, content: Buffer): Buffer => rawEntry({ name, content });

/** A layer of these entries. */
export const layer = (...entries: readonly (RawEntry | Buffer)[]): Buffer => rawTar(...entries);
