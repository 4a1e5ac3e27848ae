import type { RootedFs } from '@sandport/linux';
import { writeRootFile } from '../sandbox/write-root-file.ts';

/** Tells programs inside whom to ask for names. */
export const writeResolvConf = (root: RootedFs, gateway: string): Promise<void> =>
  writeRootFile(root, '/etc/resolv.conf', Buffer.from(`nameserver ${gateway}\n`), 0o644);
