import { stat } from 'node:fs/promises';
import { basename, join, posix } from 'node:path';
import type { Command } from 'commander';
import { ConflictError, type OnProgress, Sandbox, type WriteResult } from 'sandport';
import { addClientFlags, type ClientFlags, clientFlags, clientOf } from '../client-flags.ts';
import { interruptible } from '../interrupt.ts';
import { printJson, writeAll } from '../output/print.ts';
import { progressLine } from '../output/progress.ts';
import { type CopyPlace, parseCopyPlace } from '../parse/copy-place.ts';
import { shellWord } from '../output/shell-word.ts';
import { UsageError } from '../usage-error.ts';

/** What was copied, and where it is. */
type Copied = Pick<WriteResult, 'path' | 'bytes'>;
type SandboxPlace = Extract<CopyPlace, { kind: 'sandbox' }>;

interface Transfer {
  readonly sandbox: Sandbox;
  readonly place: SandboxPlace;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress | undefined;
}

export function addCopy(program: Command): void {
  const command = program
    .command('cp')
    .description('copy a file into a sandbox or out of it')
    .argument('<source>', 'LOCAL, BOX:/path, or - for standard input')
    .argument('<target>', 'LOCAL, BOX:/path, or - for standard output')
    .addHelpText(
      'after',
      `
A target that is a directory, or ends with /, takes the file under its own name. Missing parent
directories are made. The target is replaced at once when all bytes have come, or not at all.

Examples:
  sandport cp data.csv box:/workspace/
  sandport cp box:/workspace/result.csv out.csv
  pg_dump db | sandport cp - box:/workspace/db.sql
  sandport cp box:/var/log/app.log - | less`,
    );
  addClientFlags(command).action(
    async (source: string, target: string, _flags: unknown, self: Command) => {
      const common = clientFlags(self);
      const from = parseCopyPlace(source);
      const to = parseCopyPlace(target);
      await copy(from, to, common);
    },
  );
}

async function copy(from: CopyPlace, to: CopyPlace, common: ClientFlags): Promise<void> {
  const place = to.kind === 'sandbox' ? to : from.kind === 'sandbox' ? from : undefined;
  if (place === undefined || from.kind === to.kind) {
    throw new UsageError(
      'One of source and target must be in a sandbox, as BOX:/path, and the other one not.',
    );
  }
  if (from.kind === 'local') await checkLocalSource(from.path, place);
  const begun = performance.now();
  const result = await interruptible(async (signal) => {
    const sandbox = await Sandbox.get(place.sandbox, clientOf(common), { signal });
    using line = progressLine(basename(from.kind === 'standard' ? place.path : from.path));
    const transfer: Transfer = { sandbox, place, signal, onProgress: line.onProgress };
    return to.kind === 'sandbox' ? await copyIn(from, transfer) : await copyOut(to, transfer);
  });
  if (common.json && to.kind !== 'standard') {
    printJson({ ...result, duration_ms: Math.round(performance.now() - begun) });
  }
}

async function checkLocalSource(path: string, place: SandboxPlace): Promise<void> {
  const stats = await stat(path).catch(() => undefined);
  if (!stats?.isDirectory()) return;
  const { sandbox } = place;
  const into = shellWord(place.path);
  throw new UsageError(
    `${path} is a directory, and cp copies single files. Send it as an archive: tar -cf - -C ${shellWord(path)} . | sandport cp - ${sandbox}:/tmp/files.tar && sandport exec ${sandbox} "mkdir -p ${into} && tar -xf /tmp/files.tar -C ${into}"`,
  );
}

async function copyIn(from: CopyPlace, transfer: Transfer): Promise<Copied> {
  const { sandbox, place, signal, onProgress } = transfer;
  if (from.kind !== 'local') {
    if (place.path.endsWith('/')) {
      throw new UsageError('Standard input has no name: the target must name a file.');
    }
    return sandbox.filesystem.write(place.path, process.stdin, { signal, onProgress });
  }
  // A program stays one: the execute bits are kept.
  const mode = ((await stat(from.path).catch(() => undefined))?.mode ?? 0) & 0o111;
  const options = { signal, onProgress, ...(mode !== 0 && { mode: 0o644 | mode }) };
  const named = posix.join(place.path, basename(from.path));
  if (place.path.endsWith('/')) return sandbox.filesystem.upload(from.path, named, options);
  try {
    return await sandbox.filesystem.upload(from.path, place.path, options);
  } catch (error) {
    if (!isDirectoryError(error)) throw error;
    return sandbox.filesystem.upload(from.path, named, options);
  }
}

async function copyOut(to: CopyPlace, transfer: Transfer): Promise<Copied> {
  const { sandbox, place, signal, onProgress } = transfer;
  try {
    if (to.kind !== 'local') return await copyToStdout(transfer);
    const local = (await isLocalDirectory(to.path))
      ? join(to.path, posix.basename(place.path))
      : to.path;
    return await sandbox.filesystem.download(place.path, local, { signal, onProgress });
  } catch (error) {
    if (!isDirectoryError(error)) throw error;
    const box = place.sandbox;
    throw new UsageError(
      `${place.path} is a directory, and cp copies single files. Fetch it as an archive: sandport exec ${box} "tar -cf /tmp/files.tar -C ${shellWord(place.path)} ." && sandport cp ${box}:/tmp/files.tar - | tar -xf -`,
      { cause: error },
    );
  }
}

async function copyToStdout({ sandbox, place, signal }: Transfer): Promise<Copied> {
  let bytes = 0;
  const stream = await sandbox.filesystem.readStream(place.path, { signal });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    await writeAll(process.stdout, chunk);
    bytes += chunk.length;
  }
  return { path: '-', bytes };
}

const isDirectoryError = (error: unknown) =>
  error instanceof ConflictError && error.code === 'is_directory';

async function isLocalDirectory(path: string): Promise<boolean> {
  if (path.endsWith('/')) return true;
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
