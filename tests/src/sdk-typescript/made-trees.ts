import { chmodSync, linkSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as fc from 'fast-check';

interface MadeEntry {
  readonly path: string;
  readonly kind: string;
  readonly mode: number;
  readonly mtimeMs: number;
  readonly contents: Uint8Array;
}

const name = fc
  .oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
    fc.constantFrom('x'.repeat(255), 'é'.repeat(127), ' ', '-rf', 'new\nline', '*', '.hidden'),
  )
  .map((text) => text.replaceAll(/[/\0\uFFFD]/g, '_'))
  .filter((text) => text !== '.' && text !== '..' && Buffer.byteLength(text) < 256);

/** Entries of a local tree; what does not fit what is there already is left out by `makeTree`. */
export const someTree: fc.Arbitrary<MadeEntry[]> = fc.array(
  fc.record({
    path: fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')),
    kind: fc.constantFrom('file', 'file', 'file', 'directory', 'symlink', 'large', 'hard link'),
    mode: fc.constantFrom(0o644, 0o600, 0o755, 0o444, 0o777),
    mtimeMs: fc.integer({ min: 0, max: 2_000_000_000_000 }),
    contents: fc.uint8Array({ minLength: 1, maxLength: 2000 }),
  }),
  { maxLength: 12 },
);

/** Makes the tree, as far as later entries fit earlier ones. */
export function makeTree(root: string, entries: readonly MadeEntry[]): void {
  const files: string[] = [];
  for (const entry of entries) {
    try {
      makeEntry(join(root, entry.path), entry, files);
    } catch {
      // Something else is there.
    }
  }
}

function makeEntry(path: string, entry: MadeEntry, files: string[]): void {
  const { kind, mode, mtimeMs, contents } = entry;
  mkdirSync(dirname(path), { recursive: true });
  const [earlier] = files;
  if (kind === 'symlink') {
    symlinkSync(`to-${contents.length}`, path);
    return;
  }
  if (kind === 'hard link' && earlier !== undefined) {
    linkSync(earlier, path);
    return;
  }
  if (kind === 'directory') mkdirSync(path);
  else writeFileSync(path, kind === 'large' ? Buffer.alloc(1_300_000, contents) : contents);
  if (kind !== 'directory') files.push(path);
  chmodSync(path, kind === 'directory' ? mode | 0o700 : mode);
  utimesSync(path, mtimeMs / 1000, mtimeMs / 1000);
}
