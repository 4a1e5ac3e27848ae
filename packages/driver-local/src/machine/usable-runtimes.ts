import { probeIdMappedOverlay, probeOverlay } from '@sandport/linux';
import type { Isolation } from '@sandport/protocol';
import type { Log } from '../options.ts';
import { findContainerRuntime, findGvisorRuntime, type Runtime } from '../runtimes/runtime.ts';
import type { TrialOptions } from './trial.ts';
import { tryRuntimeOnce } from './trial-cache.ts';

/**
 * Runtimes that really start a sandbox on this machine, strongest isolation first.
 * @param dataDir where the disks of sandboxes will lie
 */
export async function usableRuntimes(
  options: Omit<TrialOptions, 'runtime'>,
  dataDir: string,
  log: Log,
): Promise<ReadonlyMap<Isolation, Runtime>> {
  const disks = { gvisor: probeOverlay(dataDir), container: probeIdMappedOverlay(dataDir) };
  const found = await Promise.all([findGvisorRuntime(), findContainerRuntime()]);
  const usable = new Map<Isolation, Runtime>();
  const trials = found.map(async (runtime) => {
    if (runtime === undefined) return undefined;
    const disk = await disks[runtime.isolation];
    const { works, reason } = disk.works ? await tryRuntimeOnce({ ...options, runtime }) : disk;
    if (works) return runtime;
    log('warn', 'a runtime is installed but cannot start a sandbox', {
      runtime: runtime.name,
      version: runtime.version,
      reason,
    });
    return undefined;
  });
  for (const runtime of await Promise.all(trials))
    if (runtime) usable.set(runtime.isolation, runtime);
  return usable;
}
