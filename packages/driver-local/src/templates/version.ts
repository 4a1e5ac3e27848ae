import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** What is remembered of a built template, in its template.json. */
const versionSchema = z.object({
  builtAt: z.coerce.date(),
  sizeBytes: z.number(),
  user: z.string(),
  workdir: z.string(),
  env: z.record(z.string(), z.string()),
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
    return /^[a-z0-9][a-z0-9-]*$/.test(version) ? version : undefined;
  } catch {
    return undefined;
  }
}

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
    const passwd = readFileSync(join(rootPath, 'etc/passwd'), 'utf8');
    return { name, version, directory, rootPath, record, passwd };
  } catch {
    return undefined;
  }
}
