import { readFileSync } from 'node:fs';
import { inRepo } from '../lib/paths.mjs';
import { trackedFiles } from '../lib/tracked-files.mjs';

export const name = 'file length';

const maxLines = 400;
const source = /\.(ts|tsx|mjs|js|py|c|h)$/;
const tests = /(\.test\.(ts|mjs)$|^tests\/|^sdks\/python\/tests\/)/;

export async function check() {
  const problems = [];
  for (const path of await trackedFiles()) {
    if (!source.test(path) || tests.test(path)) continue;
    const text = readFileSync(inRepo(path), 'utf8');
    if (/^.*generated from .*do not edit/i.test(text)) continue;
    const lines = text.split('\n').length - 1;
    if (lines > maxLines) {
      problems.push(
        `${path} has ${lines} lines; more than ${maxLines} hold more than one concept.`,
      );
    }
  }
  return { problems };
}
