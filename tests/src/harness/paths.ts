import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute path of the repository: this file lies four levels below it. */
export const repoDir = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

/** Where running tests leave their markers; see `run-marker.ts`. */
export const runningDir = join(repoDir, '.setup', 'running');

/** Built templates, shared by every daemon of the tests. */
export const templatesDir =
  process.env['SANDPORT_TEMPLATES_DIR'] ?? join(repoDir, '.setup', 'templates');

/** The program under test. */
export const sandportBin =
  process.env['SANDPORT_BIN'] ?? join(repoDir, 'apps', 'cli', 'bin', 'sandport.mjs');
