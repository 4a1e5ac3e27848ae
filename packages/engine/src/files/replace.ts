import { finished } from 'node:stream/promises';
import type { OpenFile, SandboxFiles } from '@sandport/driver';
import {
  type GuestPath,
  parseGuestPath,
  type Replace,
  type ReplaceResult,
  SandportFault,
} from '@sandport/protocol';
import type { MemoryBudget } from './memory-budget.ts';
import { LineTooLongError, TextReplacer } from './replace-in-text.ts';
import { searchLimitMs } from './search.ts';
import { type SelectedFile, selectFiles } from './select-files.ts';
import { NotTextError, textOf } from './text-file.ts';
import { WorkTime } from './work-time.ts';

/** Longer files are left alone. */
const maxFileBytes = 16 * 1024 * 1024;
/** What a file takes while it is worked on: its bytes, its text, and the new text. */
const memoryPerByte = 8;
/** Most files of an answer. */
const maxFiles = 10_000;

type Row = ReplaceResult['files'][number];

/**
 * Replaces a text or a regular expression in the file at `path` or in all files below it. Each file
 * is changed atomically, and only if it is still the one that was read. Plain text may span lines;
 * a regular expression, and text without regard to case, is looked for line by line.
 * @throws SandportFault `invalid_pattern`, `file_not_found`, …
 */
export async function replaceInFiles(
  files: SandboxFiles,
  path: GuestPath,
  replace: Replace,
  options: {
    readonly memory: MemoryBudget;
    readonly signal: AbortSignal;
    readonly limitMs?: number;
  },
): Promise<ReplaceResult> {
  const { pattern, replacement, regex, case_sensitive: caseSensitive } = replace;
  const replacer = new TextReplacer({ pattern, replacement, regex, caseSensitive });
  const time = new WorkTime({ limitMs: searchLimitMs, ...options });
  const rows: Row[] = [];
  const skipped = { binary: 0, too_large: 0, unreadable: 0 };
  let truncated = false;
  for await (const file of selectFiles(files, path, replace, time)) {
    if (rows.length >= maxFiles) truncated = true;
    if (truncated || time.isUp) break;
    if (time.turnIsOver) await time.nextTurn();
    using room = await options.memory.take(file.sizeBytes * memoryPerByte, options.signal);
    if (room === undefined) break;
    const changed = await replaceInFile(file, replacer, time);
    if (typeof changed === 'string') {
      if (changed !== 'time is up') skipped[changed] += 1;
      continue;
    }
    if (changed.replacements === 0 && changed.failure === undefined) continue;
    const row = { path: file.path, replacements: changed.replacements };
    const failure =
      changed.failure ?? (replace.dry_run === true ? undefined : await write(files, file, changed));
    rows.push(failure === undefined ? row : { ...row, ...failure });
  }
  const done = rows.filter(({ error }) => error === undefined);
  return {
    files: rows,
    files_changed: done.length,
    replacements: done.reduce((sum, row) => sum + row.replacements, 0),
    truncated: truncated || time.isUp,
    files_skipped: skipped,
  };
}

interface Replaced {
  readonly text: string;
  readonly replacements: number;
  readonly etag: string;
  readonly failure?: Failure;
}

type Failure = Required<Pick<Row, 'error' | 'code'>>;

async function replaceInFile(
  selected: SelectedFile,
  replacer: TextReplacer,
  time: WorkTime,
): Promise<Replaced | 'binary' | 'too_large' | 'unreadable' | 'time is up'> {
  if (selected.sizeBytes > maxFileBytes) return 'too_large';
  // A path that stands for another name would be written as a new file.
  if (!selected.hasUtf8Path) return 'unreadable';
  let etag: string;
  let text: string;
  try {
    const file = await selected.open();
    if (file === undefined) return 'unreadable';
    etag = file.etag;
    if (file.entry.size > maxFileBytes) {
      await file.close();
      return 'too_large';
    }
    text = await wholeTextOf(file);
  } catch (error) {
    return error instanceof NotTextError ? 'binary' : 'unreadable';
  }
  try {
    const replaced = await replacer.replace(text, time);
    return replaced === undefined ? 'time is up' : { ...replaced, etag };
  } catch (error) {
    if (error instanceof LineTooLongError) return 'too_large';
    if (!(error instanceof SandportFault)) throw error;
    return { text: '', replacements: 0, etag, failure: failureOf(error) };
  }
}

async function wholeTextOf(file: OpenFile): Promise<string> {
  let text = '';
  for await (const piece of textOf(file, { ignoreBOM: true })) text += piece;
  return text;
}

/** Writes the new text over the file that was read. */
async function write(
  files: SandboxFiles,
  { path }: SelectedFile,
  { text, etag }: Replaced,
): Promise<Failure | undefined> {
  try {
    await using writer = await files.write(parseGuestPath(path), {
      createParents: false,
      precondition: (current) => current === etag,
    });
    writer.stream.end(text);
    await finished(writer.stream);
    await writer.commit();
    return undefined;
  } catch (error) {
    if (!(error instanceof SandportFault)) throw error;
    if (error.code !== 'precondition_failed' && error.code !== 'file_not_found')
      return failureOf(error);
    return { error: `${path} changed while it was read.`, code: 'file_changed' };
  }
}

const failureOf = ({ message, code }: SandportFault): Failure => ({ error: message, code });
