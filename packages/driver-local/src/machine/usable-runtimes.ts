import type { Isolation } from '@sandport/protocol';
import type { Layout } from '../layout.ts';
import type { Log } from '../options.ts';
import { findContainerRuntime, findGvisorRuntime, type Runtime } from '../runtimes/runtime.ts';

/** Runtimes that work on this machine, strongest isolation first. */
export async function usableRuntimes(
  _layout: Layout,
  _log: Log,
): Promise<ReadonlyMap<Isolation, Runtime>> {
  const found = await Promise.all([findGvisorRuntime(), findContainerRuntime()]);
  const usable = new Map<Isolation, Runtime>();
  for (const runtime of found) if (runtime) usable.set(runtime.isolation, runtime);
  return usable;
}
