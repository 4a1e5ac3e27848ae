import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { inRepo, repoDir } from '../lib/paths.mjs';
import { trackedFiles } from '../lib/tracked-files.mjs';

export const name = 'machine paths and registry hosts';

/** Put together from pieces, so that this file does not hold what it looks for. */
const forbidden = [
  ['/work', '/(main|shared|\\.library)\\b'],
  ['/tmp', '/(plan|probe)\\b'],
  ['/opt', '/wheels\\b'],
  ['(^|[^\\w.}])/root', '/[\\w.]'],
  ['registry\\.', '(npmjs|yarnpkg)\\b'],
  ['(files\\.pythonhosted|pypi)\\.', '(org|io)\\b'],
  ['(deb|security|snapshot)\\.', 'debian\\.org\\b'],
  ['proxy\\.', 'golang\\.org\\b'],
  ['\\b(10\\.\\d+\\.\\d+\\.\\d+|192\\.168', '\\.\\d+\\.\\d+):\\d+'],
].map(([head, tail]) => new RegExp(head + tail, 'gm'));

/** Pages of other projects, kept word for word. */
const verbatim = /^(tests\/fixtures\/published-pages\/|LICENSE$)/;

/** Where this clone and this person's files lie; `/` and the like are no giveaway. */
const here = [repoDir, homedir()].filter((path) => path.split('/').length > 2);

export function findForbidden(text, ownPaths = here) {
  return [
    ...forbidden.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[0].trim())),
    ...ownPaths.filter((path) => text.includes(`${path}/`)),
  ];
}

export async function check() {
  const problems = [];
  for (const path of await trackedFiles()) {
    if (verbatim.test(path)) continue;
    const text = readFileSync(inRepo(path), 'utf8');
    if (text.includes('\0')) continue;
    for (const found of new Set(findForbidden(text))) problems.push(`${path} names ${found}`);
  }
  return { problems };
}
