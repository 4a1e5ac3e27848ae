import { closeSync, openSync } from 'node:fs';
import { createNetworkNamespace, isAlive } from '@sandport/linux';
import type { ProcessIdentity } from '../sandbox/liveness.ts';

/** A network namespace in our hands; it lasts while it is held, or has processes. */
export interface NamespaceEnd extends Disposable {
  readonly fd: number;
  /** Leads to it for every program that this process starts. */
  readonly path: string;
}

export const newNamespace = (): NamespaceEnd => held(createNetworkNamespace());

/** The one that a process is in. @throws Error when the process has ended */
export function namespaceOf({ pid, startTime }: ProcessIdentity): NamespaceEnd {
  const end = held(openSync(`/proc/${pid}/ns/net`, 'r'));
  // Looked at afterwards: its number may have gone to another process before.
  if (isAlive(pid, startTime)) return end;
  end[Symbol.dispose]();
  throw new Error('the sandbox has ended');
}

const held = (fd: number): NamespaceEnd => ({
  fd,
  path: `/proc/${process.pid}/fd/${fd}`,
  [Symbol.dispose]: () => closeSync(fd),
});
