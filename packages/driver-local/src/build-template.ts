import { parseArgs } from 'node:util';
import { templateNameSchema } from '@sandport/protocol';
import { LocalTemplates } from './templates/template-store.ts';

/**
 * Builds a template without a daemon: `node build-template.js NAME TEMPLATES_DIR [--if-missing]`.
 * Prints one line a step to standard error.
 */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { 'if-missing': { type: 'boolean', default: false } },
});
const [name, directory] = positionals;
if (name === undefined || directory === undefined) {
  console.error('usage: build-template NAME TEMPLATES_DIR [--if-missing]');
  process.exit(2);
}
const templates = new LocalTemplates(directory);
const wanted = templateNameSchema.parse(name);
const ready = (await templates.list()).some((t) => t.name === wanted && t.status === 'ready');
if (!(ready && values['if-missing'])) {
  try {
    await templates.build(wanted, { onProgress: (line) => console.error(line) });
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
