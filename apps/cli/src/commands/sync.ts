import type { Command } from 'commander';
import { type Filesystem, SandportError, type SyncOptions, type WatchDirOptions } from 'sandport';
import { addClientFlags } from '../client-flags.ts';
import { statLocal } from '../copy/look-up.ts';
import { syncOnChange } from '../copy/watch-down.ts';
import { addTreeFlags, type TreeFlags, treeOptions } from '../copy/tree-flags.ts';
import { progressLine } from '../output/progress.ts';
import { type SyncReport, syncReport } from '../output/sync-report.ts';
import { type LocalPlace, parseCopyPlace, type RemotePlace } from '../parse/copy-place.ts';
import { printError } from '../print-error.ts';
import { UsageError } from '../usage-error.ts';
import { type FsContext, withFiles } from './fs/fs-context.ts';

interface SyncFlags extends TreeFlags {
  delete?: boolean;
  watch?: boolean;
  checksum?: boolean;
  dryRun?: boolean;
  quiet?: boolean;
}

/** The two ends, whichever way round. */
interface SyncEnds {
  readonly local: LocalPlace;
  readonly remote: RemotePlace;
  readonly direction: 'up' | 'down';
}

export function addSync(program: Command): void {
  const command = program
    .command('sync')
    .description('make a directory the same as another one, sending only what differs')
    .argument('<source>', 'LOCAL, BOX:/path or volume:NAME:/path')
    .argument('<target>', 'BOX:/path, volume:NAME:/path or LOCAL')
    .option('--delete', 'remove what the source does not have; what is left out stays')
    .option('--watch', 'keep going as files of the source change, until Ctrl-C')
    .option('--checksum', 'compare contents instead of size and time')
    .option('-n, --dry-run', 'only tell what would be done')
    .option('-q, --quiet', 'only the errors')
    .addHelpText('after', help);
  addClientFlags(addTreeFlags(command)).action(
    async (source: string, target: string, flags: SyncFlags, self: Command) => {
      const ends = endsOf(source, target);
      if (flags.watch === true && flags.dryRun === true) {
        throw new UsageError('--watch and --dry-run do not go together.');
      }
      if (ends.direction === 'up' && !(await statLocal(ends.local.path)).isDirectory()) {
        throw new UsageError(
          `${ends.local.path} is no directory; copy a file with \`sandport cp\`.`,
        );
      }
      const options = await treeOptions(flags);
      await withFiles(self, async (context) => {
        const filesystem = await context.files(ends.remote);
        const { checksum } = flags;
        const how = { ...options, checksum, delete: flags.delete, signal: context.signal };
        await run(filesystem, ends, { how, flags, context });
      });
    },
  );
}

interface SyncRun {
  readonly how: SyncOptions;
  readonly flags: SyncFlags;
  readonly context: FsContext;
}

async function run(filesystem: Filesystem, ends: SyncEnds, { how, flags, context }: SyncRun) {
  const { local, remote, direction } = ends;
  const { dryRun = false, quiet = false } = flags;
  using progress = progressLine({ quiet });
  const report = syncReport({ json: context.json, quiet, progress });
  const onProgress = progress.start(`${remote.holder}:${remote.path}`);
  const common = { ...how, onProgress, onAction: report.action };
  const once = async () => {
    const options = { ...common, direction, dryRun };
    report.round(await filesystem.syncDir(local.path, remote.path, options));
  };
  if (flags.watch !== true) return once();
  if (direction === 'down') {
    const onInterruption = (error: Error) => {
      progress.clear();
      printError(error);
    };
    const { signal } = context;
    await syncOnChange(filesystem, remote.path, { sync: once, onInterruption, signal });
  } else {
    await filesystem.watchDir(local.path, remote.path, { ...common, ...keepGoing(report) });
  }
  context.signal.throwIfAborted();
}

/** Tells of rounds that fail, and goes on, once a first one has shown that it can work. */
function keepGoing(report: SyncReport): Pick<WatchDirOptions, 'onSync' | 'onError'> {
  let works = false;
  return {
    onSync(result) {
      works = true;
      report.round(result);
    },
    onError(error) {
      if (!works || !(error instanceof SandportError) || lasting.has(error.code)) throw error;
      printError(error);
    },
  };
}

/** Errors that the next round would meet again. */
const lasting = new Set(['sandbox_not_found', 'unauthorized', 'forbidden']);

function endsOf(source: string, target: string): SyncEnds {
  const from = parseCopyPlace(source);
  const to = parseCopyPlace(target);
  if (from.kind === 'local' && to.kind === 'remote') {
    return { local: from, remote: to, direction: 'up' };
  }
  if (from.kind === 'remote' && to.kind === 'local') {
    return { local: to, remote: from, direction: 'down' };
  }
  throw new UsageError(
    'One side must be local, and the other in a sandbox, as BOX:/path, or on a volume, as volume:NAME:/path.',
  );
}

const help = `
What is in the source directory goes into the target directory, which is made when it is missing. A
file is the same when its size and the time of its last change are; then it is not sent.
One line for each thing that is done: + new, ~ changed, - deleted.

Examples:
  sandport sync ./project box:/workspace/project
  sandport sync --delete --dry-run ./project box:/workspace/project
  sandport sync --watch --exclude .git ./project box:/workspace/project
  sandport sync box:/workspace/out ./out
  sandport sync ./models volume:models:/`;
