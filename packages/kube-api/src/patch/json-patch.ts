import { checkJson, fieldOf, isJsonObject, type JsonObject } from '../objects/json.ts';
import { KubeError } from '../objects/kube-error.ts';
import { sameValue } from '../store/same-object.ts';

const maxOperations = 10_000;
/** Of paths, in segments; deeper ones lead nowhere in an object. */
const maxPathLength = 2048;
/** Of what all copies of a patch may add, in values: copies of copies grow without end. */
const maxCopiedValues = 100_000;
/** Moves can nest what they move without end. */
const maxCopiedDepth = 200;

type Container = Record<string, unknown> | unknown[];

interface Operation {
  readonly op: string;
  readonly path: readonly string[];
  readonly from: readonly string[];
  readonly value: unknown;
}

/**
 * The document after a JSON Patch (RFC 6902). The document is not changed.
 * @throws KubeError `BadRequest` for what is no patch, `RequestEntityTooLarge` for one with too many
 * operations, `Invalid` when an operation does not fit the document or a test fails
 */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  const operations = readPatch(patch);
  const budget = { values: maxCopiedValues };
  const root: Container = { '': copyOf(document) };
  for (const operation of operations) applyOperation(root, operation, budget);
  return root[''];
}

function readPatch(patch: unknown): readonly Operation[] {
  if (!Array.isArray(patch)) throw bad('a JSON patch is a list of operations');
  if (patch.length > maxOperations) {
    throw new KubeError(
      'RequestEntityTooLarge',
      `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`,
    );
  }
  checkJson(patch);
  return patch.map(readOperation);
}

const operationNames = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test']);

function readOperation(operation: unknown): Operation {
  if (!isJsonObject(operation)) throw bad('an operation of a JSON patch is an object');
  const op = fieldOf(operation, 'op');
  if (typeof op !== 'string' || !operationNames.has(op)) {
    throw bad(`an operation of a JSON patch has an "op" of: ${[...operationNames].join(', ')}`);
  }
  const needsValue = op === 'add' || op === 'replace' || op === 'test';
  if (needsValue && !Object.hasOwn(operation, 'value')) throw bad(`"${op}" needs a "value"`);
  const needsFrom = op === 'move' || op === 'copy';
  return {
    op,
    path: readPointer(fieldOf(operation, 'path')),
    from: needsFrom ? readPointer(fieldOf(operation, 'from')) : [],
    value: fieldOf(operation, 'value'),
  };
}

/** The segments of a JSON pointer (RFC 6901), from one above the document. */
function readPointer(pointer: unknown): readonly string[] {
  if (typeof pointer !== 'string' || (pointer !== '' && !pointer.startsWith('/'))) {
    throw bad('a path of a JSON patch is empty or begins with "/"');
  }
  if (pointer.length > maxPathLength || /~[^01]|~$/.test(pointer)) {
    throw bad('a path of a JSON patch is too long, or has a "~" without 0 or 1 behind it');
  }
  const segments = pointer.split('/').slice(1);
  return ['', ...segments.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))];
}

function applyOperation(
  root: Container,
  { op, path, from, value }: Operation,
  budget: { values: number },
): void {
  switch (op) {
    case 'add':
      return add(root, path, copyOf(value));
    case 'remove':
      remove(root, path);
      return;
    case 'replace':
      return replace(root, path, copyOf(value));
    case 'move': {
      if (isBelow(path, from)) throw unfit(`cannot move ${shown(from)} into itself`);
      return add(root, path, remove(root, from));
    }
    case 'copy': {
      const source = lookUp(root, from);
      spend(source, budget);
      return add(root, path, copyOf(source));
    }
    default:
      if (!sameValue(lookUp(root, path), value)) {
        throw unfit(`testing value ${shown(path)} failed`);
      }
  }
}

const isBelow = (path: readonly string[], above: readonly string[]): boolean =>
  path.length > above.length && above.every((segment, index) => path[index] === segment);

function spend(value: unknown, budget: { values: number }, depth = 0): void {
  budget.values -= 1;
  if (budget.values < 0 || depth > maxCopiedDepth) {
    throw new KubeError('RequestEntityTooLarge', 'the copies of the patch are too large');
  }
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'string') budget.values -= Math.floor(value.length / 32);
    return;
  }
  for (const child of Object.values(value)) spend(child, budget, depth + 1);
}

function add(root: Container, path: readonly string[], value: unknown): void {
  const [parent, last] = parentOf(root, path);
  if (!Array.isArray(parent)) {
    setField(parent, last, value);
    return;
  }
  parent.splice(last === '-' ? parent.length : indexIn(parent.length + 1, last, path), 0, value);
}

function replace(root: Container, path: readonly string[], value: unknown): void {
  lookUp(root, path);
  const [parent, last] = parentOf(root, path);
  if (Array.isArray(parent)) parent[indexIn(parent.length, last, path)] = value;
  else setField(parent, last, value);
}

function remove(root: Container, path: readonly string[]): unknown {
  const value = lookUp(root, path);
  if (path.length === 1) throw unfit('the whole object cannot be removed');
  const [parent, last] = parentOf(root, path);
  if (Array.isArray(parent)) parent.splice(indexIn(parent.length, last, path), 1);
  else delete parent[last];
  return value;
}

function setField(object: Record<string, unknown>, field: string, value: unknown): void {
  if (field === '__proto__') throw bad('a path of the patch has "__proto__", which is not allowed');
  object[field] = value;
}

function parentOf(root: Container, path: readonly string[]): [Container, string] {
  const last = path.at(-1) ?? '';
  const parent = path.length === 1 ? root : lookUp(root, path.slice(0, -1));
  if (!isContainer(parent)) throw unfit(`${shown(path)} is below something that has no fields`);
  return [parent, last];
}

const isContainer = (value: unknown): value is Container =>
  typeof value === 'object' && value !== null;

function lookUp(root: Container, path: readonly string[]): unknown {
  let value: unknown = root;
  for (const segment of path) {
    if (Array.isArray(value)) value = value[indexIn(value.length, segment, path)];
    else if (isJsonObject(value) && Object.hasOwn(value, segment)) value = value[segment];
    else throw unfit(`${shown(path)} does not exist`);
  }
  return value;
}

function indexIn(length: number, segment: string, path: readonly string[]): number {
  const index = /^(0|[1-9]\d{0,9})$/.test(segment) ? Number(segment) : Number.NaN;
  if (!(index < length)) throw unfit(`${shown(path)} is no index of the list`);
  return index;
}

/** A copy that nothing shares with the original. */
function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (!isJsonObject(value)) return value;
  const copy: [string, unknown][] = Object.entries(value).map(([field, child]) => [
    field,
    copyOf(child),
  ]);
  return Object.fromEntries(copy) satisfies JsonObject;
}

const shown = (path: readonly string[]): string => JSON.stringify(path.slice(0, 64).join('/'));
const bad = (message: string): KubeError => new KubeError('BadRequest', message);
const unfit = (message: string): KubeError =>
  new KubeError('Invalid', `the patch does not fit the object: ${message}`);
