import { closeSync, openSync } from 'node:fs';
import { enterNetwork, unshareNetwork } from '../ffi/network-calls.ts';

/** The thread's own: that of the process is the main thread's, which changes meanwhile. */
const ownNamespace = '/proc/thread-self/ns/net';

/**
 * A descriptor of a new network namespace with nothing in it but a loopback that is down. It lasts
 * as long as the descriptor, a process or a socket in it. The caller closes it.
 * @throws SystemError EPERM without CAP_SYS_ADMIN
 */
export function createNetworkNamespace(): number {
  return elsewhere(unshareNetwork, () => openSync(ownNamespace, 'r'));
}

/**
 * What `work` returns, which is done in the network namespace of a descriptor: sockets that it makes
 * are there, and stay there. It may not wait. @throws SystemError EPERM without CAP_SYS_ADMIN
 */
export function inNetworkNamespace<T>(namespace: number, work: () => T): T {
  return elsewhere(() => enterNetwork(namespace), work);
}

/** The main thread goes and comes back within this call, in which nothing else of it runs. */
function elsewhere<T>(go: () => void, work: () => T): T {
  const home = openSync(ownNamespace, 'r');
  try {
    go();
    try {
      return work();
    } finally {
      comeBack(home);
    }
  } finally {
    closeSync(home);
  }
}

/** Sockets that are made in a wrong namespace would be worse than an end. */
function comeBack(home: number): void {
  try {
    enterNetwork(home);
  } catch {
    process.abort();
  }
}
