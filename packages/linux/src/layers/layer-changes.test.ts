import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mountOverlay } from '../mounts/overlay.ts';
import { unmount } from '../mounts/trees.ts';
import { nameWindow } from '../rooted-fs/walk/sorted-names.ts';
import { type Scratch, notRoot, scratchOnDisk } from '../testing/scratch.ts';
import { layerChanges } from './layer-changes.ts';

const names = ['a', 'b', 'c', 'd'] as const;

let scratch: Scratch;
let lower: string;
let upper: string;
let merged: string;

beforeEach(() => {
  scratch = scratchOnDisk();
  lower = join(scratch.path, 'lower');
  upper = join(scratch.path, 'upper');
  merged = join(scratch.path, 'merged');
  for (const each of [lower, upper, merged, join(scratch.path, 'work')]) mkdirSync(each);
  for (const top of names) {
    mkdirSync(join(lower, top, 'a/b'), { recursive: true });
    mkdirSync(join(lower, top, 'c'));
    for (const file of ['a/b/c', 'a/d', 'b', 'c/a']) writeFileSync(join(lower, top, file), file);
    symlinkSync('b', join(lower, top, 'd'));
  }
});

afterEach(() => {
  unmount(merged, { detach: true });
  scratch[Symbol.dispose]();
});

function mountMerged(): void {
  mountOverlay({ lower: [lower], upper, work: join(scratch.path, 'work'), target: merged });
}

async function listed(options: { path?: string; after?: string; idBase?: number } = {}) {
  const { path, after, ...more } = options;
  const found: string[] = [];
  const changes = layerChanges({
    upper,
    lower,
    ...more,
    ...(path === undefined ? {} : { path: Buffer.from(path) }),
    ...(after === undefined ? {} : { after: Buffer.from(after) }),
  });
  for await (const { change, pathBytes } of changes) found.push(`${change} ${pathBytes}`);
  return found;
}

/** The same by looking at all of both trees, slowly. */
function compared(path = ''): string[] {
  const found: string[] = [];
  for (const name of [...new Set([...namesIn(lower, path), ...namesIn(merged, path)])].sort()) {
    const below = `${path}/${name}`;
    const [before, now] = [pictureOf(lower + below), pictureOf(merged + below)];
    if (now === undefined) {
      // Of a tree that was deleted only its top; of one that became a file nothing.
      if (lstatOf(merged + path)?.isDirectory() === true) found.push(`deleted ${below}`);
      continue;
    }
    if (before === undefined) found.push(`added ${below}`);
    else if (before !== now) found.push(`modified ${below}`);
    if (lstatOf(merged + below)?.isDirectory() === true) found.push(...compared(below));
  }
  return found;
}

function lstatOf(path: string) {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}

function namesIn(root: string, path: string): string[] {
  return lstatOf(root + path)?.isDirectory() === true ? readdirSync(root + path) : [];
}

function pictureOf(path: string): string | undefined {
  const stat = lstatOf(path);
  if (stat === undefined) return undefined;
  const owner = `${stat.mode} ${stat.uid} ${stat.gid}`;
  if (stat.isSymbolicLink()) return `${owner} ${readlinkSync(path)}`;
  return stat.isFile() ? `${owner} ${readFileSync(path, 'utf8')}` : owner;
}

const place = fc
  .array(fc.constantFrom(...names), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('/'));
const operation = fc.oneof(
  fc.record({
    kind: fc.constant('write' as const),
    at: place,
    text: fc.constantFrom('x', 'b', ''),
  }),
  fc.record({ kind: fc.constant('rename' as const), at: place, to: place }),
  fc.record({
    kind: fc.constantFrom('mkdir', 'remove', 'remake', 'chmod', 'chown', 'link', 'touch'),
    at: place,
  }),
);
type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never;

function apply(each: Operation): void {
  const at = join(merged, each.at);
  try {
    if ('text' in each) writeFileSync(at, each.text);
    else if ('to' in each) renameSync(at, join(merged, each.to));
    else if (each.kind === 'mkdir') mkdirSync(at, { recursive: true });
    else if (each.kind === 'chmod') chmodSync(at, 0o700);
    else if (each.kind === 'chown') chownSync(at, 7, 8);
    else if (each.kind === 'link') symlinkSync('c', at);
    else if (each.kind === 'touch') utimesSync(at, 1, 1);
    else rmSync(at, { recursive: true });
    if (each.kind === 'remake') mkdirSync(at);
  } catch {
    // The place was not there, or taken.
  }
}

describe.skipIf(notRoot !== undefined)('layerChanges', () => {
  test('tells what a comparison of the whole trees tells, after any operations', async () => {
    const { names: window } = nameWindow;
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.array(operation, { maxLength: 25 }),
          fc.constantFrom(1, 2, 65_536),
          async (operations, perWindow) => {
            nameWindow.names = perWindow;
            mountMerged();
            try {
              for (const each of operations) apply(each);
              const all = await listed();
              expect(all).toEqual(compared());
              for (const [index, text] of all.entries()) {
                const after = text.slice(text.indexOf(' ') + 1);
                expect(await listed({ after })).toEqual(all.slice(index + 1));
                const below = all.filter((each) => {
                  const path = each.slice(each.indexOf(' ') + 1);
                  return path === after || path.startsWith(`${after}/`);
                });
                expect(await listed({ path: after })).toEqual(below);
              }
            } finally {
              unmount(merged);
              rmSync(upper, { recursive: true });
              mkdirSync(upper);
              rmSync(join(scratch.path, 'work'), { recursive: true });
              mkdirSync(join(scratch.path, 'work'));
            }
          },
        ),
        { numRuns: 60 },
      );
    } finally {
      nameWindow.names = window;
    }
  });

  test('sees a change that keeps size and time', async () => {
    const changed = join(lower, 'a/b');
    utimesSync(changed, 1, 1);
    mountMerged();
    writeFileSync(join(merged, 'a/b'), 'x/y');
    utimesSync(join(merged, 'a/b'), 1, 1);
    chmodSync(join(merged, 'b/b'), 0o600);
    chmodSync(join(merged, 'b/b'), lstatSync(changed).mode & 0o777);
    unmount(merged);
    expect(await listed()).toEqual(['modified /a/b']);
  });

  test('knows the ids of a mapped upper layer', async () => {
    mountMerged();
    chmodSync(join(merged, 'a/b'), 0o644);
    chmodSync(join(merged, 'b/b'), 0o644);
    unmount(merged);
    for (const each of ['', 'a', 'a/b', 'b']) chownSync(join(upper, each), 100_000, 100_000);
    expect(await listed({ idBase: 100_000 })).toEqual(['modified /b/b']);
  });

  test('follows no symlink of the upper layer and opens no special file', async () => {
    mkdirSync(join(scratch.path, 'outside'));
    writeFileSync(join(scratch.path, 'outside/secret'), 'x');
    symlinkSync(join(scratch.path, 'outside'), join(upper, 'a'));
    mkdirSync(join(upper, 'b'));
    symlinkSync('../../outside', join(upper, 'b/a'));
    expect(await listed()).toEqual(['modified /a', 'modified /b/a']);
    expect(await listed({ path: '/a' })).toEqual(['modified /a']);
    await expect(listed({ path: '/a/secret' })).rejects.toMatchObject({ kind: 'not_found' });
  });

  test('goes as deep as a path can, with few descriptors', async () => {
    let directory = upper;
    const depth = 500;
    for (let level = 0; level < depth; level++) directory += '/deep';
    mkdirSync(directory, { recursive: true });
    const before = readdirSync('/proc/self/fd').length;
    let count = 0;
    for await (const { change } of layerChanges({ upper, lower })) {
      expect(change).toBe('added');
      count++;
      expect(readdirSync('/proc/self/fd').length - before).toBeLessThan(10);
    }
    expect(count).toBe(depth);
  });

  test('goes on while the guest moves directories away', async () => {
    for (const name of names) mkdirSync(join(upper, `new/${name}/x`), { recursive: true });
    const found: string[] = [];
    for await (const { pathBytes } of layerChanges({ upper, lower })) {
      found.push(String(pathBytes));
      if (String(pathBytes) === '/new/b/x') {
        renameSync(join(upper, 'new'), join(upper, 'zero'));
        mkdirSync(join(upper, 'new'));
      }
    }
    expect(found).toEqual(['/new', '/new/a', '/new/a/x', '/new/b', '/new/b/x']);
  });
});
