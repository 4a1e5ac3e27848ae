/**
 * What a client process is asked to do; plain JSON, the same for every client. Trees stay where they
 * were put: ext4 is slow to make files while it remembers others that were removed a moment ago.
 */
export interface Job {
  readonly action: 'upload' | 'download' | 'upload_dir' | 'download_dir' | 'sync_dir' | 'list';
  readonly sandbox: string;
  /** Path in the sandbox. Trees go to `${remote}-${round}`. */
  readonly remote: string;
  /** Path on this machine. Trees come to `${local}-${round}`. */
  readonly local: string;
  readonly warmUps: number;
  readonly rounds: number;
}

/** What a client process prints. */
export interface JobResult {
  readonly timesMs: readonly number[];
  /** Most memory that the client had, in MiB; undefined where it cannot be told. */
  readonly peakRssMib?: number | undefined;
}

/** Ways that bytes and trees go. */
export const clientNames = ['curl', 'TypeScript', 'Python'] as const;
export type ClientName = (typeof clientNames)[number];
