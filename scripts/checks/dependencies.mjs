import { existsSync, readFileSync } from 'node:fs';
import { inRepo } from '../lib/paths.mjs';
import { trackedFiles } from '../lib/tracked-files.mjs';
import { debianPackages } from '../setup/debian-packages.mjs';
import { layerRules } from './layer-rules.mjs';

export const name = 'DEPENDENCIES.md';

/** Names of direct npm dependencies of all workspaces, the workspaces themselves left out. */
async function npmDependencies() {
  const manifests = (await trackedFiles()).filter((path) => /(^|\/)package\.json$/.test(path));
  return manifests.flatMap((path) => {
    const manifest = JSON.parse(readFileSync(inRepo(path), 'utf8'));
    return Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
  });
}

/** Names in quoted requirements (`"httpx>=0.27"`) and in requirement lines (`pytest==8`). */
export function pythonRequirements(pyproject, requirements) {
  const lists = [...pyproject.matchAll(/^\s*(?:requires|dependencies|dev)\s*=\s*\[([^\]]*)\]/gm)];
  const quoted = lists.flatMap((match) =>
    [...match[1].matchAll(/"([A-Za-z0-9_.-]+)/g)].map((requirement) => requirement[1]),
  );
  const lines = requirements
    .split('\n')
    .map((line) => line.match(/^([A-Za-z0-9_.-]+)/)?.[1])
    .filter((found) => found !== undefined && !found.startsWith('-'));
  return [...quoted, ...lines];
}

const read = (path) => (existsSync(inRepo(path)) ? readFileSync(inRepo(path), 'utf8') : '');

export async function check() {
  const listed = new Set(
    [...read('DEPENDENCIES.md').matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]),
  );
  const used = new Set([
    ...(await npmDependencies()).filter((dependency) => layerRules[dependency] === undefined),
    ...pythonRequirements(
      read('sdks/python/pyproject.toml'),
      [
        'tests/python/requirements.txt',
        'tests/python/agent-sandbox-clients/0.4.txt',
        'tests/python/agent-sandbox-clients/1.0.txt',
      ]
        .map(read)
        .join('\n'),
    ),
    ...debianPackages,
  ]);
  return {
    problems: [
      ...[...used].filter((one) => !listed.has(one)).map((one) => `${one} has no line.`),
      ...[...listed].filter((one) => !used.has(one)).map((one) => `${one} is not used.`),
    ],
  };
}
