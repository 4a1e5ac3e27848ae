import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

export const CANARY_TEXT = 'CANARY: nobody may read this';

/**
 * A directory of the host beside the root that no operation may read or change. Access times are set
 * into the past, so that the kernel notes every read in them.
 */
export class Canary {
  readonly directory: string;
  readonly #before: string;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(join(directory, 'sub'), { recursive: true });
    mkdirSync(join(directory, 'empty'));
    const files = ['secret.txt', 'victim', 'sub/file'].map((name) => join(directory, name));
    for (const file of files) writeFileSync(file, CANARY_TEXT, { mode: 0o600 });
    const longAgo = new Date(Date.now() - 10 * 24 * 3600 * 1000);
    for (const path of [...files, ...['sub', 'empty', '.'].map((name) => join(directory, name))]) {
      utimesSync(path, longAgo, longAgo);
    }
    this.#before = this.#fingerprint();
  }

  expectUntouched(): void {
    expect(this.#fingerprint()).toBe(this.#before);
    // Last, because it reads: contents, and names that appeared.
    const contents = ['secret.txt', 'victim', 'sub/file'].map((name) =>
      readFileSync(join(this.directory, name), 'utf8'),
    );
    expect(contents).toEqual([CANARY_TEXT, CANARY_TEXT, CANARY_TEXT]);
    expect(readdirSync(this.directory).sort()).toEqual(['empty', 'secret.txt', 'sub', 'victim']);
  }

  /** Everything the kernel notes of them, access times too. */
  #fingerprint(): string {
    const names = ['.', 'secret.txt', 'victim', 'empty', 'sub', 'sub/file'];
    return names
      .map((name) => {
        const stat = lstatSync(join(this.directory, name), { bigint: true });
        return [name, stat.ino, stat.mode, stat.uid, stat.nlink, stat.size]
          .concat([stat.mtimeNs, stat.ctimeNs, stat.atimeNs].map(String))
          .join(' ');
      })
      .join('\n');
  }
}
