import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as errorsReference from './generators/errors-reference.mjs';
import * as pythonErrors from './generators/python-errors.mjs';
import { Failure, runMain } from './lib/failure.mjs';
import { inRepo } from './lib/paths.mjs';

/** Path of every generated file → its contents, made from the built protocol. */
async function generatedFiles() {
  const built = inRepo('packages/protocol/dist/index.js');
  if (!existsSync(built)) {
    throw new Failure('The protocol is not built: run `npm run setup` first.');
  }
  const { errorTable, buildOpenApi } = await import(pathToFileURL(built).href);
  return {
    'docs/reference/errors.md': errorsReference.generate(errorTable),
    'sdks/python/src/sandport/_error_table.py': pythonErrors.generate(errorTable),
    'spec/openapi.json': `${JSON.stringify(buildOpenApi(), null, 2)}\n`,
  };
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
