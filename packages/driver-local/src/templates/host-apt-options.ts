import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const wanted = /^Acquire::(https?::|Retries|Check-Valid-Until|Check-Date|ForceIPv4)/;

/** Proxies and other download settings of the host's apt, as lines of apt.conf. */
export async function hostAptOptions(): Promise<readonly string[]> {
  const run = promisify(execFile);
  const dump = await run('apt-config', ['dump']).catch(() => ({ stdout: '' }));
  return dump.stdout.split('\n').filter((line) => wanted.test(line));
}
