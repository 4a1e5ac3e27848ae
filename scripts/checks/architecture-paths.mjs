import { existsSync, readFileSync } from 'node:fs';
import { inRepo } from '../lib/paths.mjs';

export const name = 'ARCHITECTURE.md paths';

/** Words in backticks that name a file or folder of this repository. */
export function namedPaths(text) {
  const top = '(?:packages|sdks|apps|tests|bench|docs|deploy|scripts|spec|examples)';
  const pattern = new RegExp(`\`(${top}(?:/[A-Za-z0-9_.@-]+)*/?)\``, 'g');
  return [...new Set([...text.matchAll(pattern)].map((match) => match[1]))];
}

export async function check() {
  const page = inRepo('ARCHITECTURE.md');
  if (!existsSync(page)) return { problems: ['ARCHITECTURE.md is missing.'] };
  const paths = namedPaths(readFileSync(page, 'utf8'));
  const problems = paths
    .filter((path) => !existsSync(inRepo(path)))
    .map((path) => `ARCHITECTURE.md names ${path}, which does not exist.`);
  if (paths.length === 0) problems.push('ARCHITECTURE.md names no path.');
  return { problems };
}
