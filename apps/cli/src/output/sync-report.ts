import type { SyncAction, SyncResult } from 'sandport';
import { noteSkipped } from './note-skipped.ts';
import { printLine, printNote } from './print.ts';
import { printableJson } from './printable.ts';
import type { ProgressLine } from './progress.ts';
import { formatBytes } from './units.ts';
import { wireJson } from './wire-json.ts';

export interface SyncReportOptions {
  /** One line of JSON a round, and nothing else. */
  readonly json: boolean;
  /** Nothing at all. */
  readonly quiet: boolean;
  /** Made way for before a line is written. */
  readonly progress: ProgressLine;
}

/** What is printed of a sync. */
export interface SyncReport {
  /** For each action; undefined when none is printed. */
  readonly action: ((action: SyncAction) => void) | undefined;
  /** For each round of it. */
  round(result: SyncResult): void;
}

export function syncReport({ json, quiet, progress }: SyncReportOptions): SyncReport {
  if (json) {
    return {
      action: undefined,
      round: (result) => process.stdout.write(`${printableJson(wireJson(result))}\n`),
    };
  }
  if (quiet) return { action: undefined, round: () => {} };
  return {
    action(action) {
      progress.clear();
      printLine(describeAction(action));
    },
    round(result) {
      progress.clear();
      printNote(describeSync(result));
      noteSkipped(result);
    },
  };
}

const marks = { created: '+', updated: '~', replaced: '~', deleted: '-' } as const;

/** `+ path`, `~ path` or `- path`; a directory ends with a slash. */
export function describeAction({ action, path, type }: SyncAction): string {
  return `${marks[action]} ${path}${type === 'directory' ? '/' : ''}`;
}

/** What a round did, or would do, in one line. */
export function describeSync(result: SyncResult): string {
  const { created, updated, deleted, unchanged, bytes, dryRun } = result;
  const counts = [
    `${created} new`,
    `${updated} changed`,
    `${deleted} deleted`,
    `${unchanged} the same`,
  ].join(', ');
  return dryRun
    ? `Would do: ${counts}; ${formatBytes(bytes)} to send`
    : `${counts}; ${formatBytes(bytes)} sent`;
}
