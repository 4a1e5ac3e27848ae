import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { inRepo } from '../lib/paths.mjs';
import { filesBelow } from '../lib/stamp.mjs';
import { trackedFiles } from '../lib/tracked-files.mjs';
import { importProblem, layerRules, reservedDependencies } from './layer-rules.mjs';

export const name = 'layers';

/** Development tools that tests and published test suites may import from the root. */
const testTools = new Set(['vitest', 'fast-check']);

/** Folders of test suites and their helpers. */
const testFolders = /\/(conformance|testing|attacks)\//;

/** Specifiers of static imports, re-exports, dynamic imports and type imports. */
export function importSpecifiers(source) {
  const pattern =
    /(?:^|[\s;}])(?:import|export)\s+(?:type\s+)?(?:[\w*{}\s,$]+\s+from\s+)?['"]([^'"\n]+)['"]|\bimport\(\s*['"]([^'"\n]+)['"]\s*\)/g;
  const withoutComments = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return [...withoutComments.matchAll(pattern)].map((match) => match[1] ?? match[2]);
}

/** `@scope/name/sub` → `@scope/name`. */
export const packageOf = (specifier) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** What is wrong with one import; undefined when nothing is. */
export function specifierProblem({ from, folder, file, specifier, manifest, isTest }) {
  if (isBuiltin(specifier)) return undefined;
  if (specifier.startsWith('.')) {
    const target = relative(folder, resolve(dirname(file), specifier));
    return target.startsWith('..') ? 'leaves its package by a relative path' : undefined;
  }
  const target = packageOf(specifier);
  const declared = {
    ...manifest.dependencies,
    ...manifest.peerDependencies,
    ...(isTest ? manifest.devDependencies : {}),
  };
  if (testTools.has(target) && (isTest || testFolders.test(file))) return undefined;
  if (target === from) return undefined;
  if (declared[target] === undefined) return `${target} is not in its package.json`;
  const owner = reservedDependencies[target];
  if (owner && owner !== from) return `only ${owner} may import ${target}`;
  if (layerRules[target]) {
    if (specifier.includes('/dist/') || specifier.includes('/src/')) {
      return `${specifier} reaches into another package`;
    }
    return importProblem(from, target);
  }
  return undefined;
}

/** Problems of one package: its dependencies, its references for tsc, its import statements. */
function packageProblems(packageName, { folder }) {
  const root = inRepo(folder);
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const problems = [];
  for (const dependency of Object.keys(manifest.dependencies ?? {})) {
    if (layerRules[dependency] === undefined) continue;
    const why = importProblem(packageName, dependency);
    if (why) problems.push(`${folder}/package.json depends on ${dependency}: ${why}`);
  }
  for (const file of filesBelow(join(root, 'src'), (path) => /\.tsx?$/.test(path))) {
    const isTest = /\.test\.tsx?$/.test(file) || packageName === '@sandport/tests';
    for (const specifier of importSpecifiers(readFileSync(file, 'utf8'))) {
      const why = specifierProblem({
        from: packageName,
        folder: root,
        file,
        specifier,
        manifest,
        isTest,
      });
      if (why) problems.push(`${relative(inRepo(), file)} imports ${specifier}: ${why}`);
    }
  }
  return problems;
}

export async function check() {
  const problems = [];
  const known = new Set(Object.values(layerRules).map(({ folder }) => folder));
  for (const path of await trackedFiles()) {
    const folder = path.match(/^((?:packages|apps|sdks)\/[^/]+|tests|bench)\/package\.json$/)?.[1];
    if (folder && !known.has(folder)) {
      problems.push(`${folder} has no layer: give it one in scripts/checks/layer-rules.mjs`);
    }
  }
  for (const [packageName, rule] of Object.entries(layerRules)) {
    if (existsSync(inRepo(rule.folder, 'package.json'))) {
      problems.push(...packageProblems(packageName, rule));
    }
  }
  return { problems };
}
