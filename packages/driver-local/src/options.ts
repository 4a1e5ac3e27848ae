import type { Isolation } from '@sandport/protocol';
import type { NetworkOptions } from './network/options.ts';
import type { StorageOptions } from './storage/pool.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type Log = (
  level: LogLevel,
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

export interface LocalDriverOptions extends StorageOptions {
  /** Directory for disks and volumes. One driver at a time. */
  readonly dataDir: string;
  /**
   * Directory for sockets and mount points; every user must be able to walk through the
   * directories above it. @default /run/sandport/<hash of dataDir>
   */
  readonly runDir?: string | undefined;
  /** May be shared by drivers. @default dataDir/templates */
  readonly templatesDir?: string | undefined;
  /** `auto` offers all that work. @default 'auto' */
  readonly isolation?: 'auto' | Isolation | undefined;
  /** Networks of sandboxes that ask for one. */
  readonly network?: NetworkOptions | undefined;
  readonly log?: Log | undefined;
}
