import { type Command, Option } from 'commander';
import { type FileInfo, type Filesystem, SandportError } from 'sandport';
import { addClientFlags } from '../../client-flags.ts';
import { entryJson } from '../../output/entry-json.ts';
import { longListing } from '../../output/long-listing.ts';
import { LineWriter } from '../../output/print.ts';
import { parseRemoteOrRoot, type RemotePlace } from '../../parse/copy-place.ts';
import { count } from '../../parse/values.ts';
import type { SetExitCode } from '../../program.ts';
import { entryTypes } from './entry-types.ts';
import { forEachPlace, type FsContext, withFiles } from './fs-context.ts';

interface ListFlags {
  recursive?: boolean;
  depth?: number;
  glob?: string;
  hidden: boolean;
  type?: keyof typeof entryTypes;
  bytes?: boolean;
  checksum?: boolean;
}

export function addFsList(fs: Command, setExitCode: SetExitCode): void {
  const command = fs
    .command('ls')
    .alias('list')
    .description('list a directory')
    .argument('<path...>', 'BOX:/path')
    .option('-R, --recursive', 'also what is below; symlinks are not followed')
    .option('--depth <levels>', 'so many levels', count)
    .option('--glob <pattern>', 'only what matches: *, ?, [a-z], {a,b}, and ** for directories')
    .option('--no-hidden', 'without names that begin with a dot')
    .addOption(new Option('--type <type>', 'only of this type').choices(Object.keys(entryTypes)))
    .option('--bytes', 'sizes in exact bytes')
    .option('--checksum', 'with the SHA-256 of files')
    .addHelpText(
      'after',
      `
Permissions, owner, group, size, time of the last change, name. --json prints one object a line,
with names as they are; otherwise control characters in names are written out.

Examples:
  sandport fs ls box:/workspace
  sandport fs ls -R --glob '*.py' box:/workspace
  sandport fs ls --json -R box:/ | jq -r 'select(.size > 1000000) | .path'`,
    );
  addClientFlags(command).action(async (paths: string[], flags: ListFlags, self: Command) => {
    const places = paths.map(parseRemoteOrRoot);
    await withFiles(self, async (context) => {
      await using out = new LineWriter();
      await forEachPlace(places, setExitCode, async (place) => {
        if (places.length > 1 && !context.json) {
          if (place !== places[0]) await out.raw('\n');
          await out.line(`${place.holder}:${place.path}:`);
        }
        for await (const entry of listedEntries(place, flags, context)) {
          if (context.json) await out.json(entryJson(entry));
          else await out.raw(`${line(entry, place, flags)}\n`);
        }
        // What follows may be an error on the other stream.
        await out.flush();
      });
    });
  });
}

function line(entry: FileInfo, { path }: RemotePlace, flags: ListFlags): string {
  const below = path.endsWith('/') ? path : `${path}/`;
  const deep = isDeep(flags) && entry.path.startsWith(below);
  const name = deep ? entry.path.slice(below.length) : entry.name;
  const text = longListing(entry, { exactBytes: flags.bytes, name });
  return flags.checksum === true ? `${(entry.sha256 ?? '-').padEnd(64)}  ${text}` : text;
}

const isDeep = ({ recursive, depth, glob }: ListFlags) =>
  recursive === true || depth !== undefined || glob?.includes('/') === true;

/** Entries of a directory, or what else is at the path. */
async function* listedEntries(
  place: RemotePlace,
  flags: ListFlags,
  context: FsContext,
): AsyncGenerator<FileInfo, void, undefined> {
  const filesystem = await context.files(place);
  const { signal } = context;
  const { glob, depth, hidden, type, checksum } = flags;
  const wanted = type === undefined ? undefined : entryTypes[type];
  const which = { glob, depth, hidden, type: wanted, checksum, recursive: isDeep(flags) };
  try {
    yield* filesystem.entries(place.path, { ...which, signal });
  } catch (error) {
    if (!(error instanceof SandportError) || error.code !== 'not_a_directory') throw error;
    yield await fileOf(filesystem, place.path, signal);
  }
}

const fileOf = (filesystem: Filesystem, path: string, signal: AbortSignal) =>
  filesystem.stat(path, { followSymlinks: false, signal });
