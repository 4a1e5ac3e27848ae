import { runProgram } from '@sandport/linux';

const wanted = /^Acquire::(https?::|Retries|Check-Valid-Until|Check-Date|ForceIPv4)/;

/** Proxies and other download settings of the host's apt, as lines of apt.conf. */
export async function hostAptOptions(): Promise<readonly string[]> {
  // Its variables may name another configuration.
  const dump = await runProgram('apt-config', ['dump'], { env: process.env }).catch(
    () => undefined,
  );
  return (dump?.stdout ?? '').split('\n').filter((line) => wanted.test(line));
}
