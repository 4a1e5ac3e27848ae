import { randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { testRun } from './run-marker.ts';

/**
 * A directory on the host that no sandbox may ever reach: `file` holds a secret, `directory` has
 * one known entry. A guest may know the paths; it must not help it.
 */
export class Canary {
  readonly directory: string;
  readonly file: string;
  readonly secret: string;
  readonly #before: string;

  constructor() {
    const base = mkdtempSync(join(testRun().tempDir, 'canary-'));
    this.directory = base;
    this.file = join(base, 'secret');
    this.secret = `canary-${randomBytes(16).toString('hex')}`;
    mkdirSync(join(base, 'sub'));
    writeFileSync(this.file, this.secret);
    writeFileSync(join(base, 'sub', 'kept'), this.secret);
    this.#before = this.#picture();
  }

  /** Nothing of it was changed. */
  expectUntouched(): void {
    expect(this.#picture()).toBe(this.#before);
  }

  /** What a guest or a client got to see does not come from it. */
  expectNotIn(bytes: Buffer | string): void {
    expect(bytes.includes(this.secret)).toBe(false);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  #picture(): string {
    return JSON.stringify(
      ['', 'secret', 'sub', 'sub/kept'].map((name) => {
        const { ino, mode, uid, gid, size, mtimeMs, ctimeMs, nlink } = statSync(
          join(this.directory, name),
        );
        const isDirectory = name === '' || name === 'sub';
        const contents = isDirectory
          ? readdirSync(join(this.directory, name))
          : readFileSync(join(this.directory, name), 'utf8');
        return { name, ino, mode, uid, gid, size, mtimeMs, ctimeMs, nlink, contents };
      }),
    );
  }
}
