import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InitChannel } from '@sandport/guest-init';
import { ociSpec } from '../oci/spec.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import { startWithRuntime } from '../runtimes/start.ts';
import { killCgroupTree } from '../sandbox/end-processes.ts';
import { idRangeSize } from '../sandbox/id-ranges.ts';
import type { CgroupFeatures } from './cgroup-features.ts';
import type { Privileges } from './privileges.ts';

export interface TrialResult {
  readonly works: boolean;
  /** Why it does not work. */
  readonly reason?: string;
  readonly durationMs: number;
}

export interface TrialOptions {
  readonly runtime: Runtime;
  /** Directory that every user can walk to. */
  readonly directory: string;
  /** The init's binary, where every user can reach it. */
  readonly initBinary: string;
  readonly cgroup: CgroupFeatures;
  readonly privileges: Privileges;
}

const idBase = 16 * idRangeSize;
const connectTimeoutMs = 10_000;

/**
 * Starts an empty sandbox, waits until its init has connected, and takes everything away again.
 * Never throws.
 */
export async function tryRuntime(options: TrialOptions): Promise<TrialResult> {
  const { runtime, initBinary, cgroup, privileges } = options;
  const { isolation } = runtime;
  const startedMs = performance.now();
  const durationMs = () => Math.round(performance.now() - startedMs);
  let scratch: string | undefined;
  let channel: InitChannel | undefined;
  const id = `trial-${randomBytes(6).toString('hex')}`;
  const cgroupPath = `/sandport/${id}`;
  try {
    scratch = mkdtempSync(join(options.directory, 'trial-'));
    chmodSync(scratch, 0o711);
    const rootPath = join(scratch, 'root');
    const controlDir = join(scratch, 's');
    const base = isolation === 'container' ? idBase : 0;
    for (const name of ['', 'proc', 'dev', 'sys', 'run', 'run/sandport', 'tmp']) {
      mkdirSync(join(rootPath, name), { mode: 0o755 });
      chownSync(join(rootPath, name), base, base);
    }
    mkdirSync(controlDir, { mode: 0o711 });
    const token = randomBytes(32).toString('hex');
    writeFileSync(join(controlDir, 'token'), token, { mode: 0o444 });
    writeFileSync(join(controlDir, 'init'), '');
    channel = await InitChannel.listen({ socketPath: join(controlDir, 'init.sock'), token });
    const config = ociSpec({
      isolation,
      rootPath,
      hostname: 'trial',
      limits: { cpu: 1, memoryBytes: 128 * 1024 * 1024, pids: 32 },
      controlDir,
      initBinary,
      cgroupPath,
      idBase: base,
      idCount: idRangeSize,
      cgroup,
      privileges,
    });
    writeFileSync(join(scratch, 'config.json'), JSON.stringify(config));
    await startWithRuntime(runtime, {
      id,
      stateDir: join(scratch, 'state'),
      bundle: scratch,
      pidFile: join(scratch, 'pid'),
      log: join(scratch, 'log'),
    });
    await channel.whenConnected(connectTimeoutMs);
    return { works: true, durationMs: durationMs() };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { works: false, reason, durationMs: durationMs() };
  } finally {
    await channel?.[Symbol.asyncDispose]();
    await killCgroupTree(cgroupPath).catch(() => {});
    // Only the runtime and the init have written here.
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  }
}
