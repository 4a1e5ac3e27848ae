import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory of a test's own, removed when it is disposed. */
export interface Scratch extends Disposable {
  readonly path: string;
}

/** On a disk: file systems differ from memory in what they support. */
export function scratchOnDisk(): Scratch {
  return scratchIn(tmpdir());
}

/** In memory where the machine has that: for tests that make very many files. */
export function scratchInMemory(): Scratch {
  return scratchIn(existsSync('/dev/shm') ? '/dev/shm' : tmpdir());
}

function scratchIn(parent: string): Scratch {
  const path = mkdtempSync(join(parent, 'sandport-test-'));
  return {
    path,
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** Why tests that mount or change owners cannot run; undefined when they can. */
export const notRoot = process.getuid?.() === 0 ? undefined : 'needs root';
