import type { SignalOptions } from '../filesystem/progress.ts';

export interface ExposePortOptions extends SignalOptions {
  /** For people. */
  label?: string | undefined;
  /** `private`: for those with a key or a signed link; `public`: for everybody. @default 'private' */
  visibility?: 'private' | 'public' | undefined;
}

export interface SignPortOptions extends SignalOptions {
  /** At most 604,800: seven days. @default 3600 */
  ttlSeconds?: number | undefined;
  /** The link leads to these paths and what is below them. @default all */
  paths?: readonly string[] | undefined;
}

export interface PreviewUrlOptions extends SignPortOptions {
  /** True: exposes the port to everybody, and the address holds no secret. @default false */
  public?: boolean | undefined;
}

/** A TCP port of a sandbox. */
export interface SandboxPort {
  readonly port: number;
  readonly label?: string | undefined;
  /** True: a program of the sandbox listens there. */
  readonly listening: boolean;
  /** `detected`: nobody has exposed it. */
  readonly source: 'exposed' | 'detected';
  readonly visibility: 'private' | 'public';
  /** For those with a key. */
  readonly proxyUrl: string;
  /** For browsers. */
  readonly previewUrl: string;
}

/** A link to a port that works without a key. */
export interface SignedPreview {
  /** By the address of the port: what applications in browsers need. */
  readonly previewUrl: string;
  /** By the address of the API: pages there are kept apart from it, and so from their own data. */
  readonly url: string;
  readonly token: string;
  readonly port: number;
  readonly paths: readonly string[];
  readonly expiresAt: Date;
}
