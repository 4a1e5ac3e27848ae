import { execFileSync } from 'node:child_process';
import { lstatSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { answerOf, appendFile, list, readFile, writeFile } from '../../testing/file-helpers.ts';
import { RootedFs } from '../rooted-fs.ts';

export const OPERATIONS = [
  'read',
  'stat',
  'lstat',
  'list',
  'write',
  'mkdir',
  'remove',
  'removeAll',
];

/** Where what is attacked goes, and what comes to its place. */
export const AWAY = '/away/from/here';
export const SOURCE = '/setuid';

const WRITTEN = 'written by the attack suite';

/** A copy of a planted tree to attack; made anew when an attack changed it. */
export class AttackedTree implements Disposable {
  readonly #planted: string;
  readonly #root: string;
  #fs: RootedFs | undefined;
  #snapshot = new Map<string, string>();

  constructor(planted: string, root: string) {
    this.#planted = planted;
    this.#root = root;
  }

  /**
   * Runs one operation and says in one line what it did: the error's kind, what was read, or what is
   * different in the tree (found by looking at all of it, not by asking RootedFs).
   */
  async describe(operation: string, path: string): Promise<string> {
    const fs = this.#open();
    switch (operation) {
      case 'read':
        return answerOf(async () => `'${await readFile(fs, path)}'`);
      case 'stat':
        return answerOf(() => fs.stat(path).type);
      case 'lstat':
        return answerOf(() => fs.stat(path, { followSymlinks: false }).type);
      case 'list':
        return answerOf(async () => `${(await list(fs, path)).length} entries`);
      case 'write':
        return this.#describeChange(async () => void (await writeFile(fs, path, WRITTEN)));
      case 'mkdir':
        return this.#describeChange(() => fs.makeDirectory(path));
      case 'remove':
        return this.#describeChange(() => fs.remove(path));
      case 'removeAll':
        return this.#describeChange(() => fs.remove(path, { recursive: true }));
      case 'append':
        return this.#describeChange(() => appendFile(fs, path, WRITTEN));
      case 'chmod':
        return this.#describeChange(async () => void (await fs.chmod(path, 0o755)));
      case 'chown':
        return this.#describeChange(async () => void (await fs.chown(path, { uid: 0 })));
      case 'touch':
        return this.#describeChange(() => fs.touch(path, { create: false }));
      case 'usage':
        return answerOf(async () => typeof (await fs.usage(path)).diskBytes);
      case 'move away':
        return this.#describeChange(() => fs.move(path, AWAY));
      case 'copy away':
        return this.#describeChange(() => fs.copy(path, AWAY));
      case 'move onto':
        return this.#describeChange(() => fs.move(SOURCE, path, { overwrite: true }));
      case 'copy onto':
        return this.#describeChange(() => fs.copy(SOURCE, path, { overwrite: true }));
      case 'symlink':
        return this.#describeChange(() => fs.symlink(path, '/etc/passwd', { overwrite: true }));
      default:
        throw new Error(operation);
    }
  }

  [Symbol.dispose](): void {
    this.#fs?.close();
    this.#fs = undefined;
    rmSync(this.#root, { recursive: true, force: true });
  }

  #open(): RootedFs {
    if (this.#fs === undefined) {
      execFileSync('cp', ['-a', '--', this.#planted, this.#root]);
      this.#fs = RootedFs.open(this.#root);
      this.#snapshot = snapshotOf(this.#root);
    }
    return this.#fs;
  }

  async #describeChange(operation: () => unknown): Promise<string> {
    const answer = await answerOf(operation);
    const changes = changesBetween(this.#snapshot, snapshotOf(this.#root));
    if (changes.length > 0) this[Symbol.dispose]();
    const outcome = answer === 'undefined' ? [] : [answer];
    return [...outcome, ...changes].join(' ').replaceAll('\n', '\\n') || 'nothing';
  }
}

/** Every path of a tree with what it holds. */
function snapshotOf(root: string, directory = '/', into = new Map<string, string>()) {
  for (const name of readdirSync(join(root, directory))) {
    const path = join(directory, name);
    const stat = lstatSync(join(root, path));
    if (stat.isDirectory()) {
      into.set(path, 'directory');
      snapshotOf(root, path, into);
    } else if (stat.isFile()) into.set(path, readFileSync(join(root, path), 'utf8'));
    else if (stat.isSymbolicLink()) into.set(path, `link ${readlinkSync(join(root, path))}`);
    else into.set(path, `mode ${stat.mode}`);
  }
  return into;
}

/** `=` changed, `+` new (the deepest names only), `-` gone (the topmost names only). */
function changesBetween(before: Map<string, string>, after: Map<string, string>): string[] {
  const changed = [...after].filter(
    ([path, text]) => before.has(path) && before.get(path) !== text,
  );
  const added = [...after.keys()].filter((path) => !before.has(path));
  const removed = [...before.keys()].filter((path) => !after.has(path));
  const isParent = (path: string): boolean => added.some((other) => other.startsWith(`${path}/`));
  const isBelow = (path: string): boolean => removed.some((other) => path.startsWith(`${other}/`));
  return [
    ...changed.map(([path]) => `=${path}`),
    ...added.filter((path) => !isParent(path)).map((path) => `+${path}`),
    ...removed.filter((path) => !isBelow(path)).map((path) => `-${path}`),
  ];
}
