import { existsSync, realpathSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

/**
 * Every kubectl that can be found: the one of `SANDPORT_KUBECTL` (several are separated as in
 * PATH), the one that the set-up fetched, the machine's own.
 */
export const kubectls: readonly string[] = [
  ...(process.env['SANDPORT_KUBECTL'] ?? '').split(delimiter),
  resolve(import.meta.dirname, '../../../../.setup/tools/kubectl/kubectl'),
  ...(process.env['PATH'] ?? '').split(delimiter).map((dir) => dir && join(dir, 'kubectl')),
]
  .filter((path) => path !== '' && existsSync(path))
  .map((path) => realpathSync(path))
  .filter((path, index, all) => all.indexOf(path) === index);

export const noKubectl = 'there is no kubectl on this machine';
