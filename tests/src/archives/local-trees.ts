import { execFileSync } from 'node:child_process';
import {
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const maxOutputBytes = 512 * 1024 * 1024;

/** A directory on this machine that goes with the test. */
export function scratchDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'sandport-archives-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** GNU tar; returns its standard output. */
export const gnuTar = (args: readonly string[], input?: Uint8Array): Buffer =>
  execFileSync('tar', args, { input: input ?? '', maxBuffer: maxOutputBytes });

/**
 * All that GNU find knows of a tree, one line an entry, sorted: names, types, modes, lengths, times,
 * texts of links, how many names a file has. Directories have no length, as disks differ in it.
 */
export function manifest(directory: string, time: 'ns' | 's' = 'ns'): string[] {
  const format = `%P\\t%y\\t%m\\t%s\\t%T${time === 'ns' ? '@' : 's'}\\t%l\\t%n\\0`;
  const output = execFileSync('find', [directory, '-mindepth', '1', '-printf', format], {
    encoding: 'latin1',
    maxBuffer: maxOutputBytes,
  });
  return manifestLines(output);
}

/** The same from the output of a `find` in a sandbox. */
export const manifestLines = (output: string): string[] =>
  output
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => {
      const [path = '', type = '', mode = '', size = '', time = '', link = '', names = ''] =
        line.split('\t');
      const isDirectory = type === 'd';
      return [path, type, mode, isDirectory ? '' : size, time, link, isDirectory ? '' : names].join(
        '\t',
      );
    })
    .toSorted();

export interface RichTreeOptions {
  /** Also names and links that formats before PAX have no room for. @default true */
  readonly long?: boolean;
  /** Also names that are not UTF-8. @default true */
  readonly bytes?: boolean;
}

/** A tree with all that an archive should keep. */
export function plantRichTree(directory: string, options: RichTreeOptions = {}): void {
  const { long = true, bytes = true } = options;
  const at = (path: string) => join(directory, path);
  const file = (path: string, content: string | Buffer, mode = 0o644) =>
    writeFileSync(at(path), content, { mode });
  for (const path of ['empty', 'a/b/c', 'closed', ' spaces and\nnewlines ']) {
    mkdirSync(at(path), { recursive: true });
  }
  file('zero', '');
  file('one', '1');
  file('block', Buffer.alloc(512, 'b'));
  file('a/more', Buffer.alloc(200_000, 'more'), 0o600);
  file('a/b/large', Buffer.alloc(3_000_001, 'large'), 0o755);
  file('a/b/c/ünïcödé 😀', 'text');
  file(' spaces and\nnewlines /x', 'x');
  file('closed/secret', 's', 0o400);
  linkSync(at('one'), at('a/also-one'));
  linkSync(at('one'), at('zz-one'));
  symlinkSync('one', at('link'));
  symlinkSync('/etc/passwd', at('absolute-link'));
  symlinkSync('nowhere/at all', at('a/broken'));
  if (long) {
    file('n'.repeat(255), '255');
    const deep = `${'d'.repeat(60)}/${'e'.repeat(120)}/${'f'.repeat(200)}`;
    mkdirSync(at(deep), { recursive: true });
    file(`${deep}/${'ü'.repeat(127)}`, 'deep');
    symlinkSync('t'.repeat(3000), at('long-link'));
  }
  if (bytes) {
    writeFileSync(
      Buffer.concat([Buffer.from(`${directory}/bytes-`), Buffer.from([0xff, 0xe4])]),
      '',
    );
    if (long) {
      const name = Buffer.concat([Buffer.from('long-bytes-'), Buffer.alloc(200, 0xfe)]);
      writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), name]), 'x');
    }
  }
  lutimesSync(at('zero'), 1, 981_173_106.123_456);
  lutimesSync(at('link'), 1, 1_000_000_000.5);
  execFileSync('chmod', ['2770', at('empty')]);
  execFileSync('chmod', ['500', at('closed')]);
  execFileSync('touch', ['-d', '@1700000000.123456789', at('a/b'), at('block'), at('empty')]);
}
