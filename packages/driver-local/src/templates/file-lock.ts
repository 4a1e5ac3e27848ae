import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Takes an exclusive lock on a file and holds it until disposal or the death of this process. The
 * kernel keeps the lock, so that a crashed holder leaves none behind.
 * @throws the signal's reason when it aborts while waiting
 */
export async function lockFile(file: string, signal?: AbortSignal): Promise<AsyncDisposable> {
  const child = spawn('flock', ['--exclusive', file, 'sh', '-c', 'echo locked; exec cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  const release = async () => {
    child.stdin.destroy();
    await ended;
  };
  child.stdin.on('error', () => {});
  const onAbort = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    signal?.throwIfAborted();
    const locked = await Promise.race([
      once(child.stdout, 'data').then(() => true),
      ended.then(() => false),
    ]);
    signal?.throwIfAborted();
    if (!locked) throw new Error(`cannot lock ${file}: the program flock (util-linux) failed`);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
  return { [Symbol.asyncDispose]: release };
}
