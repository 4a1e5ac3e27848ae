import { gzipSync } from 'node:zlib';
import { rawEntry, rawPax, rawTar } from './raw-tar.ts';

/** An archive that tries something it must not. */
export interface HostileArchive {
  /** Kebab-case; a file name. */
  readonly name: string;
  readonly bytes: Buffer;
  /** What it tries. */
  readonly why: string;
  /**
   * `refused`: unpacking it must fail. `contained`: it may succeed, but nothing outside of the
   * target is made, changed or linked to.
   */
  readonly outcome: 'refused' | 'contained';
  /** Limits to unpack it with; without them it would only be large. */
  readonly limits?: { readonly maxBytes?: number; readonly maxEntries?: number };
}

/** What an archive that gets outside writes; its name too begins so. */
export const escapedText = 'sandport-escaped';
/** A file that the test puts into the target before unpacking, with {@link innocentText} in it. */
export const innocentName = 'innocent.txt';
export const innocentText = 'not to be changed\n';

const escape = (name: string) => ({ name, content: escapedText });
const link = (name: string, linkName: string) => ({ name, type: '2', linkName });
const hardLink = (name: string, linkName: string) => ({ name, type: '1', linkName });
const directory = (name: string) => ({ name, type: '5', mode: 0o755 });

type Row = readonly [name: string, why: string, bytes: Buffer, limits?: HostileArchive['limits']];

const namesOut: readonly Row[] = [
  ['absolute-name', 'an absolute name', rawTar(escape('/tmp/sandport-escaped'))],
  ['double-slash-name', 'an absolute name', rawTar(escape('//tmp/sandport-escaped'))],
  ['dot-dot', 'a name above the target', rawTar(escape('../sandport-escaped'))],
  ['dot-dot-alone', 'the directory above the target', rawTar(directory('..'))],
  ['dot-dot-inside', 'a name that climbs out', rawTar(escape('a/../../sandport-escaped'))],
  ['dot-dot-at-end', 'a name that ends above', rawTar(directory('a/../..'))],
  ['prefix-dot-dot', 'a prefix above', rawTar({ ...escape('sandport-escaped'), prefix: '..' })],
  ['prefix-absolute', 'an absolute prefix', rawTar({ ...escape('x'), prefix: '/tmp' })],
  [
    'pax-absolute',
    'absolute by PAX',
    rawTar(rawPax({ path: '/tmp/sandport-escaped' }), escape('x')),
  ],
  ['pax-dot-dot', 'above by PAX', rawTar(rawPax({ path: '../sandport-escaped' }), escape('x'))],
  [
    'gnu-long-dot-dot',
    'above by a long name of GNU',
    rawTar({ name: '././@LongLink', type: 'L', content: '../sandport-escaped\0' }, escape('x')),
  ],
  ['pax-nul', 'a NUL byte in a name', rawTar(rawPax({ path: 'a\0/../../b' }), escape('x'))],
];

const throughLinks: readonly Row[] = [
  [
    'link-out-then-file',
    'a file through a link',
    rawTar(link('d', '/tmp'), escape('d/sandport-escaped')),
  ],
  [
    'link-up-then-file',
    'a file through a link',
    rawTar(link('d', '..'), escape('d/sandport-escaped')),
  ],
  [
    'link-inside-then-file',
    'a file through a link that stays inside',
    rawTar(directory('real'), link('d', 'real'), escape('d/x')),
  ],
  [
    'link-then-directory-below',
    'a directory through a link',
    rawTar(link('d', '..'), directory('d/sandport-escaped')),
  ],
  [
    'link-then-link-below',
    'a link through a link',
    rawTar(link('d', '..'), link('d/sandport-escaped', 'x')),
  ],
  [
    'chain-of-links',
    'a file through two links',
    rawTar(link('a', '..'), link('b', 'a'), escape('b/sandport-escaped')),
  ],
  [
    'directory-then-link-then-file',
    'a directory that becomes a link',
    rawTar(directory('d'), link('d', '..'), escape('d/sandport-escaped')),
  ],
  [
    'link-then-hard-link-below',
    'a hard link through a link',
    rawTar(escape('f'), link('d', '..'), hardLink('d/sandport-escaped', 'f')),
  ],
];

const hardLinks: readonly Row[] = [
  ['hard-link-absolute', 'a second name of a file outside', rawTar(hardLink('x', '/etc/passwd'))],
  ['hard-link-up', 'a second name of a file outside', rawTar(hardLink('x', '../canary'))],
  [
    'hard-link-through-link',
    'a second name of a file outside',
    rawTar(link('d', '..'), hardLink('x', 'd/canary')),
  ],
  ['hard-link-to-nothing', 'a second name of no file', rawTar(hardLink('x', 'none'))],
  [
    'hard-link-to-what-was-there',
    'a second name of a file that the archive did not write',
    rawTar(hardLink('x', innocentName)),
  ],
  [
    'pax-hard-link-up',
    'a second name of a file outside, by PAX',
    rawTar(rawPax({ linkpath: '../canary' }), hardLink('x', 'y')),
  ],
];

const special: readonly Row[] = [
  ['character-device', 'a device', rawTar({ name: 'null', type: '3' })],
  ['block-device', 'a device', rawTar({ name: 'disk', type: '4' })],
  ['fifo', 'a FIFO', rawTar({ name: 'fifo', type: '6' })],
];

const base256 = (...bytes: readonly number[]) => Uint8Array.from(bytes);

const damaged: readonly Row[] = [
  ['size-too-long', 'a length that is not there', rawTar({ ...escape('x'), size: 1 << 30 })],
  [
    'size-negative',
    'a length below zero',
    rawTar({ name: 'x', sizeField: base256(...Array<number>(12).fill(0xff)) }),
  ],
  [
    'size-enormous',
    'a length of 2^63',
    rawTar({ name: 'x', sizeField: base256(0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0) }),
  ],
  [
    'size-not-octal',
    'a length that is no number',
    rawTar({ name: 'x', sizeField: Buffer.from('9z') }),
  ],
  ['pax-size-negative', 'a length below zero', rawTar(rawPax({ size: '-512' }), { name: 'x' })],
  [
    'pax-size-long',
    'a length that is not there',
    rawTar(rawPax({ size: '99999999999' }), { name: 'x' }),
  ],
  ['pax-too-long', 'a PAX header of 64 GiB', rawEntry({ name: 'h', type: 'x', size: 8 ** 11 - 1 })],
  ['gnu-name-too-long', 'a name of 64 GiB', rawEntry({ name: 'h', type: 'L', size: 8 ** 11 - 1 })],
  ['bad-checksum', 'a header that is damaged', rawTar({ ...escape('x'), checksum: '000000\0 ' })],
  ['cut-in-header', 'an archive that is cut', rawTar(escape('x')).subarray(0, 300)],
  ['cut-in-content', 'an archive that is cut', rawTar(escape('x')).subarray(0, 515)],
  ['no-tar', 'no archive at all', Buffer.alloc(2048, 'no archive ')],
  ['cut-gzip', 'a gzip stream that is cut', gzipSync(rawTar(escape('x'))).subarray(0, 40)],
  ['gnu-sparse', 'a kind of entry that hides a length', rawTar({ name: 'x', type: 'S' })],
];

const large: readonly Row[] = [
  [
    'zeros',
    '64 MiB of zeros in 64 KiB',
    gzipSync(rawTar({ name: 'zeros', content: Buffer.alloc(64 * 1024 * 1024) }), { level: 1 }),
    { maxBytes: 1024 * 1024 },
  ],
  [
    'many-entries',
    'more entries than are allowed',
    rawTar(...Array.from({ length: 2000 }, (_, index) => ({ name: `f${index}` }))),
    { maxEntries: 1000 },
  ],
];

const contained: readonly Row[] = [
  [
    'pax-length-lies',
    'a PAX record longer than its header',
    rawTar({ name: 'h', type: 'x', content: '999 path=a\n' }, { name: 'x' }),
  ],
  [
    'pax-length-negative',
    'a PAX record of less than nothing',
    rawTar({ name: 'h', type: 'x', content: '-9 path=a\n' }, { name: 'x' }),
  ],
  ['no-end', 'an archive without its end', rawEntry(escape('x'))],
  ['empty-name', 'no name at all', rawTar(escape(''))],
  ['link-absolute', 'a link out, with nothing behind it', rawTar(link('x', '/etc/passwd'))],
  ['link-up', 'a link out, with nothing behind it', rawTar(link('x', '../../canary'))],
  [
    'link-detour',
    'a link out by way of another link',
    rawTar(directory('a/b'), link('a/b/here', '.'), link('out', 'a/b/here/../../../canary')),
  ],
  [
    'link-then-same-name',
    'a file through a link of its own name',
    rawTar(link('x', '../canary'), escape('x')),
  ],
  [
    'hard-link-then-same-name',
    'a file through a hard link of its own name',
    rawTar(escape('a'), hardLink('b', 'a'), { name: 'b', content: 'other' }),
  ],
  [
    'hard-link-to-a-link',
    'a second name of a link out',
    rawTar(link('l', '../canary'), hardLink('x', 'l'), escape('x')),
  ],
  ['file-then-below', 'a file as a directory', rawTar(escape('f'), escape('f/x'))],
  ['directory-then-file', 'a file in place of a directory', rawTar(directory('d'), escape('d'))],
  ['setuid', 'a program that runs as its owner', rawTar({ ...escape('su'), mode: 0o6755 })],
  ['long-name', 'a name no file can have', rawTar(rawPax({ path: 'x'.repeat(300) }), escape('x'))],
  [
    'long-path',
    'a path no file can have',
    rawTar(rawPax({ path: 'd/'.repeat(4000) }), escape('x')),
  ],
  [
    'not-utf8',
    'a name that is not UTF-8',
    rawTar({ name: Buffer.from([0x66, 0xff]), content: 'x' }),
  ],
  ['backslashes', 'a path of another system', rawTar(escape('..\\..\\sandport-escaped'))],
  [
    'directory-with-content',
    'bytes in a directory',
    rawTar({ ...directory('d'), content: 'bytes' }),
  ],
  ['link-with-content', 'bytes in a link', rawTar({ ...link('l', 'x'), content: 'bytes' })],
  [
    'global-path',
    'one name for all entries',
    rawTar(rawPax({ path: '../sandport-escaped' }, 'g'), escape('x')),
  ],
  ['no-entries', 'nothing', rawTar()],
  ['nothing', 'no bytes', Buffer.alloc(0)],
];

/** The corpus: both readers of archives, the daemon's and the clients', face all of it. */
export function hostileArchives(): HostileArchive[] {
  const refused = [...namesOut, ...throughLinks, ...hardLinks, ...special, ...damaged, ...large];
  return [
    ...refused.map((row) => archive(row, 'refused')),
    ...contained.map((row) => archive(row, 'contained')),
  ];
}

const archive = (
  [name, why, bytes, limits]: Row,
  outcome: HostileArchive['outcome'],
): HostileArchive => ({ name, bytes, why, outcome, ...(limits !== undefined && { limits }) });
