import type { ProgressLine } from '../output/progress.ts';
import type { Holders } from './holders.ts';
import type { TreeOptions } from './tree-flags.ts';

/** What was said on the command line about a copy. */
export interface CopyOptions extends TreeOptions {
  readonly compression: 'none' | 'gzip';
  /** Also count what the daemon copies by itself, which takes it a moment. */
  readonly count: boolean;
}

/** What the parts of a copy share. */
export interface CopyJob {
  readonly holders: Holders;
  readonly options: CopyOptions;
  readonly progress: ProgressLine;
  readonly signal: AbortSignal;
}
