import { type ModelDirectory, type ModelNode, type ModelTree, fail } from './model-tree.ts';

interface Place {
  readonly parent: string;
  readonly name: string;
  readonly mustBeDirectory: boolean;
}

/** Splits a path into the entry itself and where it is. */
function split(path: string): Place {
  const trimmed = path.replace(/\/+$/, '');
  const slash = trimmed.lastIndexOf('/');
  const name = trimmed.slice(slash + 1);
  return { parent: trimmed.slice(0, slash) || '/', name, mustBeDirectory: trimmed !== path };
}

function placeOf(model: ModelTree, path: string): Place {
  const place = split(path);
  if (place.name === '') fail('busy');
  if (place.name === '.' || place.name === '..') {
    model.existing(path, true);
    fail('invalid_path');
  }
  return place;
}

export function makeModelSymlink(model: ModelTree, path: string, target: string): void {
  const { parent, name, mustBeDirectory } = placeOf(model, path);
  const directory = model.makeDirectory(parent);
  const there = directory.children.get(name);
  if (there?.type === 'directory') fail('is_directory');
  if (mustBeDirectory) fail('not_a_directory');
  if (there !== undefined) fail('exists');
  directory.children.set(name, { type: 'symlink', target });
}

export function moveInModel(model: ModelTree, from: string, to: string, overwrite: boolean): void {
  const source = placeOf(model, from);
  const parent = model.existing(source.parent, true);
  if (parent.type !== 'directory') return fail('not_a_directory');
  const node = parent.children.get(source.name) ?? fail('not_found');
  if (source.mustBeDirectory && node.type !== 'directory') fail('not_a_directory');
  if (node.type === 'directory') {
    const { below, itself } = relation(model, to, node, parent, source.name);
    if (below && !itself) fail('invalid_path');
  }
  const target = placeOf(model, to);
  const directory = model.makeDirectory(target.parent);
  if (target.mustBeDirectory && node.type !== 'directory') fail('not_a_directory');
  const there = directory.children.get(target.name);
  if (there !== undefined) {
    if (!overwrite) fail('exists');
    if (there.type === 'directory' && node.type !== 'directory') fail('is_directory');
    if (there === node) return;
    if (there.type !== 'directory' && node.type === 'directory') fail('not_a_directory');
    if (there.type === 'directory' && there.children.size > 0) fail('not_empty');
  }
  parent.children.delete(source.name);
  directory.children.set(target.name, node);
}

export function copyInModel(model: ModelTree, from: string, to: string, overwrite: boolean): void {
  const node = model.existing(from, true);
  if (node.type === 'directory') {
    const { below, itself } = relation(model, to, node);
    if (below || itself) fail('invalid_path');
  }
  const { parent, name, mustBeDirectory } = placeOf(model, to);
  const directory = model.makeDirectory(parent);
  const there = directory.children.get(name);
  if (there !== undefined) {
    if (node.type === 'directory') fail('exists');
    if (there.type === 'directory') fail('is_directory');
    if (!overwrite) fail('exists');
    if (there === node) return;
  }
  if (mustBeDirectory && node.type !== 'directory') fail('not_a_directory');
  directory.children.set(name, structuredClone(node));
}

/** Whether a place is below a directory, or the directory's own. */
function relation(
  model: ModelTree,
  to: string,
  source: ModelDirectory,
  sourceParent?: ModelDirectory,
  sourceName?: string,
): { readonly below: boolean; readonly itself: boolean } {
  const { parent, name } = split(to);
  if (name === '' || name === '.' || name === '..') return { below: false, itself: false };
  const { nodes, missing } = model.way(parent);
  if (missing.includes('..')) return { below: false, itself: false };
  const last: ModelNode | undefined = nodes.at(-1);
  const isThere = missing.length === 0 && last?.type === 'directory';
  const isOwn = isThere && last.children.get(name) === source;
  const isSame = isThere && last === sourceParent && name === sourceName;
  return { below: nodes.includes(source), itself: isOwn || isSame };
}
