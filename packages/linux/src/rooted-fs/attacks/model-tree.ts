/**
 * What a guest's tree is and does, in plain objects: the oracle of the generated attacks. It knows
 * nothing of the host, so that an answer that came from there cannot agree with it.
 */
export type ModelNode =
  | { readonly type: 'directory'; readonly children: Map<string, ModelNode> }
  | { readonly type: 'file'; text: string }
  | { readonly type: 'symlink'; readonly target: string };

export type ModelDirectory = Extract<ModelNode, { type: 'directory' }>;

export class ModelError extends Error {}

const MAX_SYMLINKS = 40;

interface Walked {
  /** Directories from the root to where the walk stands. */
  readonly stack: readonly ModelDirectory[];
  /** Undefined when the last name does not exist. */
  readonly node: ModelNode | undefined;
  readonly name: string | undefined;
  /** Names that are missing, the last one included; symlinks were followed. */
  readonly missing: readonly string[];
}

export class ModelTree {
  readonly root: ModelDirectory = { type: 'directory', children: new Map() };

  stat(path: string, follow: boolean): string {
    return this.#existing(path, follow).type;
  }

  read(path: string): string {
    const node = this.#existing(path, true);
    if (node.type === 'directory') throw new ModelError('is_directory');
    return node.type === 'file' ? `'${node.text}'` : fail('symlink_loop');
  }

  list(path: string): string {
    const node = this.#existing(path, true);
    if (node.type !== 'directory') throw new ModelError('not_a_directory');
    return [...node.children.keys()].sort().join(',');
  }

  makeDirectory(path: string): ModelDirectory {
    const walked = this.#walk(path, true);
    if (walked.node !== undefined && walked.node.type !== 'directory') fail('not_a_directory');
    return this.#makeMissing(walked);
  }

  /** What a path leads to. */
  existing(path: string, follow: boolean): ModelNode {
    return this.#existing(path, follow);
  }

  /** What is on the way to a path, its end included, and the names that are missing. */
  way(path: string): { readonly nodes: readonly ModelNode[]; readonly missing: readonly string[] } {
    const { stack, node, missing } = this.#walk(path, true);
    return { nodes: node === undefined ? stack : [...stack, node], missing };
  }

  write(path: string, text: string, options: { readonly append?: boolean } = {}): void {
    // A path that ends in '/', '.' or '..' (also in the text of a symlink) means a directory.
    const walked = this.#walkForWrite(path);
    if (walked.node?.type === 'directory') fail('is_directory');
    if (walked.node?.type === 'file') {
      walked.node.text = options.append === true ? walked.node.text + text : text;
      return;
    }
    const name = walked.missing.at(-1) ?? fail('not_found');
    const parent = this.#makeMissing({ ...walked, missing: walked.missing.slice(0, -1) });
    parent.children.set(name, { type: 'file', text });
  }

  remove(path: string, recursive: boolean): void {
    const trimmed = path.replace(/\/+$/, '');
    if (trimmed === '') fail('busy');
    const slash = trimmed.lastIndexOf('/');
    const name = trimmed.slice(slash + 1);
    if (name === '.' || name === '..') {
      this.#existing(path, true);
      fail('invalid_path');
    }
    const parent = this.#existing(trimmed.slice(0, slash) || '/', true);
    if (parent.type !== 'directory') throw new ModelError('not_a_directory');
    const node = parent.children.get(name) ?? fail('not_found');
    if (trimmed !== path && node.type !== 'directory') fail('not_a_directory');
    if (node.type === 'directory' && node.children.size > 0 && !recursive) fail('not_empty');
    parent.children.delete(name);
  }

  #existing(path: string, follow: boolean): ModelNode {
    return this.#walk(path, follow).node ?? fail('not_found');
  }

  #makeMissing(walked: Walked): ModelDirectory {
    if (walked.missing.includes('..')) fail('not_found');
    let directory = walked.stack.at(-1) ?? this.root;
    if (walked.node?.type === 'directory') directory = walked.node;
    for (const name of walked.missing) {
      if (name === '.') continue;
      const child: ModelDirectory = { type: 'directory', children: new Map() };
      directory.children.set(name, child);
      directory = child;
    }
    return directory;
  }

  /** Like the walk of open(O_CREAT), but with missing parents made on the way. */
  #walkForWrite(path: string): Walked {
    let current = path;
    let start: readonly ModelDirectory[] = [this.root];
    for (let links = 0; links <= MAX_SYMLINKS; links++) {
      const slash = current.lastIndexOf('/');
      const name = current.slice(slash + 1);
      if (name === '' || name === '.' || name === '..') {
        const walked = this.#walk(current, true, start);
        if (walked.node?.type === 'directory') fail('is_directory');
        if (walked.node !== undefined) fail('not_a_directory');
        fail(name === '' ? 'is_directory' : 'not_found');
      }
      const parent = this.#walk(current.slice(0, slash + 1) || '.', true, start);
      if (parent.node !== undefined && parent.node.type !== 'directory') fail('not_a_directory');
      const directory = this.#makeMissing(parent);
      const node = directory.children.get(name);
      if (node?.type !== 'symlink') {
        return { stack: [directory], node, name, missing: node === undefined ? [name] : [] };
      }
      const stack = parent.node === undefined ? [directory] : [...parent.stack, directory];
      start = node.target.startsWith('/') ? [this.root] : stack;
      current = node.target;
    }
    return fail('symlink_loop');
  }

  /** The kernel's path walk with this tree as the root. */
  #walk(path: string, follow: boolean, start: readonly ModelDirectory[] = [this.root]): Walked {
    const stack = path.startsWith('/') ? [this.root] : [...start];
    const pending = path.split('/').filter((part) => part !== '');
    let mustBeDirectory = path.endsWith('/');
    let links = 0;
    while (pending.length > 0) {
      const name = pending.shift() ?? fail('not_found');
      const directory = stack.at(-1) ?? this.root;
      if (name === '.') continue;
      if (name === '..') {
        if (stack.length > 1) stack.pop();
        continue;
      }
      const isLast = pending.length === 0;
      const node = directory.children.get(name);
      if (node === undefined) return { stack, node, name, missing: [name, ...pending] };
      if (node.type === 'directory') {
        stack.push(node);
      } else if (node.type === 'file') {
        if (!isLast || mustBeDirectory) fail('not_a_directory');
        return { stack, node, name, missing: [] };
      } else {
        if (isLast && !follow && !mustBeDirectory) return { stack, node, name, missing: [] };
        if (++links > MAX_SYMLINKS) fail('symlink_loop');
        if (node.target.startsWith('/')) stack.length = 1;
        if (isLast && node.target.endsWith('/')) mustBeDirectory = true;
        pending.unshift(...node.target.split('/').filter((part) => part !== ''));
      }
    }
    const node = stack.pop() ?? this.root;
    return { stack, node, name: undefined, missing: [] };
  }
}

export function fail(kind: string): never {
  throw new ModelError(kind);
}
