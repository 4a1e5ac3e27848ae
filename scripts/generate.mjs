import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as cliReference from './generators/cli-reference.mjs';
import * as errorsReference from './generators/errors-reference.mjs';
import * as pythonErrors from './generators/python-errors.mjs';
import { Failure, runMain } from './lib/failure.mjs';
import { inRepo } from './lib/paths.mjs';

/** Path of every generated file → its contents, made from what is built. */
async function generatedFiles() {
  const { errorTable, buildOpenApi } = await builtModule('packages/protocol/dist/index.js');
  const { createProgram } = await builtModule('apps/cli/dist/program.js');
  return {
    'docs/reference/cli.md': cliReference.generate(await createProgram([], () => {})),
    'docs/reference/errors.md': errorsReference.generate(errorTable),
    'sdks/python/src/sandport/_error_table.py': pythonErrors.generate(errorTable),
    'spec/openapi.json': `${JSON.stringify(buildOpenApi(), null, 2)}\n`,
  };
}

async function builtModule(path) {
  if (existsSync(inRepo(path))) return import(pathToFileURL(inRepo(path)).href);
  throw new Failure(`${path} is not built: run \`npm run setup\` first.`);
}

const currentText = (path) => (existsSync(inRepo(path)) ? readFileSync(inRepo(path), 'utf8') : '');

/** Generated files that are not what they would be if they were made again. */
export async function staleFiles() {
  return Object.entries(await generatedFiles())
    .filter(([path, text]) => currentText(path) !== text)
    .map(([path]) => path);
}

async function main() {
  const stale = await staleFiles();
  if (process.argv.includes('--check')) {
    for (const path of stale) console.log(`${path} is out of date`);
    return stale.length === 0 ? 0 : 1;
  }
  const files = await generatedFiles();
  for (const path of stale) {
    mkdirSync(dirname(inRepo(path)), { recursive: true });
    writeFileSync(inRepo(path), files[path]);
    console.log(`wrote ${path}`);
  }
  if (stale.length === 0) console.log('everything is up to date');
  return 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await runMain(main);
