import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute path of the repository. */
export const repoDir = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Everything that the scripts keep between runs; safe to delete at any time. */
export const setupDir = join(repoDir, '.setup');
export const logsDir = join(setupDir, 'logs');
/** Programs that only the tests use. */
export const toolsDir = join(setupDir, 'tools');
export const runningDir = join(setupDir, 'running');
export const venvDir = join(repoDir, '.venv');
export const sandportBin = join(repoDir, 'apps/cli/bin/sandport.mjs');

/** Where the built templates lie; shared by the demo, the tests and the benchmarks. */
export const templatesDir = process.env.SANDPORT_TEMPLATES_DIR ?? join(setupDir, 'templates');

/** An absolute or relative path inside the repository. */
export const inRepo = (...parts) => join(repoDir, ...parts);

/** As a reader would type it from the repository's root. */
export const shown = (path) => relative(process.cwd(), path) || '.';
