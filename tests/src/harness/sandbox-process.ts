import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { TestDaemon } from './daemon.ts';
import { identityOf, type ProcessIdentity } from './process-identity.ts';

const recordSchema = z.object({ process: z.object({ pid: z.int() }) });

/**
 * The process on the host that a sandbox stands and falls with: the init of a container, the kernel
 * of a gVisor sandbox. By the local driver's record of it.
 */
export function sandboxProcess(daemon: TestDaemon, id: string): ProcessIdentity {
  const file = join(daemon.dataDir, 'sandboxes', id, 'driver.json');
  const { pid } = recordSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).process;
  const identity = identityOf(pid);
  if (identity === undefined) throw new Error(`process ${pid} of sandbox ${id} is gone`);
  return identity;
}
