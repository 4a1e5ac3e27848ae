import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { networkSchema } from '@sandport/protocol';
import { z } from 'zod';
import { readTextIn } from './root-files.ts';

/** What is remembered of a built template, in its template.json. */
const versionSchema = z.object({
  builtAt: z.coerce.date(),
  sizeBytes: z.number(),
  user: z.string(),
  workdir: z.string(),
  env: z.record(z.string(), z.string()),
  /** The recipe's, where there is none. */
  description: z.string().optional(),
  source: z.string().optional(),
  limits: z
    .object({
      cpu: z.number(),
      memoryBytes: z.number(),
      diskBytes: z.number().optional(),
      pids: z.number(),
    })
    .optional(),
  network: networkSchema.optional(),
});
export type VersionRecord = z.infer<typeof versionSchema>;

/** One built version of a template; it never changes once it is visible. */
export interface TemplateVersion {
  readonly name: string;
  readonly version: string;
  /** Directory of the version: `rootfs/`, `template.json` and `users/`. */
  readonly directory: string;
  readonly rootPath: string;
  readonly record: VersionRecord;
  /** Text of /etc/passwd. */
  readonly passwd: string;
}

export const currentFile = (templatesDir: string, name: string): string =>
  join(templatesDir, name, 'current');

/** Name of the version that new sandboxes get; undefined before the first build. */
export function currentVersion(templatesDir: string, name: string): string | undefined {
  try {
    const version = readFileSync(currentFile(templatesDir, name), 'utf8').trim();
    return isVersionName(version) ? version : undefined;
  } catch {
    return undefined;
  }
}

/** Makes a version the one that new sandboxes get, in one step. */
export function setCurrentVersion(templatesDir: string, name: string, version: string): void {
  const pointer = currentFile(templatesDir, name);
  writeFileSync(`${pointer}.new`, `${version}\n`);
  renameSync(`${pointer}.new`, pointer);
}

/** Names of all versions that are there, the current one among them. */
export function versionNames(templatesDir: string, name: string): string[] {
  try {
    return readdirSync(join(templatesDir, name), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && isVersionName(entry.name))
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

const isVersionName = (text: string): boolean => /^[a-z0-9][a-z0-9-]*$/.test(text);

/** A name for a version that is built at this moment. */
export const newVersionName = (): string =>
  new Date()
    .toISOString()
    .toLowerCase()
    .replace(/[^0-9tz]/g, '');

/** Reads a version; undefined when it is not there or not complete. */
export function readVersion(
  templatesDir: string,
  name: string,
  version: string,
): TemplateVersion | undefined {
  const directory = join(templatesDir, name, version);
  try {
    const record = versionSchema.parse(
      JSON.parse(readFileSync(join(directory, 'template.json'), 'utf8')),
    );
    const rootPath = join(directory, 'rootfs');
    const passwd = readTextIn(rootPath, '/etc/passwd') ?? '';
    return { name, version, directory, rootPath, record, passwd };
  } catch {
    return undefined;
  }
}
