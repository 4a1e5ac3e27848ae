import type { SandboxLimits } from '@sandport/driver';
import type { FinishRootOptions } from '../finish-root.ts';

/** Where a root file system is made, and who hears of it. */
export interface MakeRootOptions {
  /** Private directory for whatever is needed on the way; removed when the build ends. */
  readonly directory: string;
  /** Where the root file system has to be. */
  readonly rootPath: string;
  readonly onLine: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** What a source says of the root file system that it has made. */
export interface MadeRoot {
  readonly finish: Omit<FinishRootOptions, 'workdir'>;
  /** What it is made of, for people. */
  readonly source: string;
  readonly description?: string | undefined;
  readonly user: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: SandboxLimits;
}

/** Makes a root file system; a failure may leave it half-made. */
export type RootSource = (options: MakeRootOptions) => Promise<MadeRoot>;
