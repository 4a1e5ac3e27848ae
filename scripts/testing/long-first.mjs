import { BaseSequencer } from 'vitest/node';

/** Ends of the names of the files that take longest, as a clean machine without a cache does not know. */
const long = [
  'src/code/code.test.ts',
  'src/conformance/gvisor-overlay.test.ts',
  'src/conformance/gvisor-btrfs.test.ts',
  'src/conformance/container-overlay.test.ts',
  'src/cli/fs.test.ts',
  'src/cli/lifecycle.test.ts',
  'src/restart/sleeping.test.ts',
  'src/restart/random-kills.test.ts',
  'src/templates/packages.test.ts',
  'src/templates/first-start.test.ts',
  'src/agent-sandbox/port-forward.test.ts',
  'src/agent-sandbox/data-plane.test.ts',
  'src/hibernation-crash.test.ts',
  'src/crash-forks.test.ts',
  'src/rooted-fs/attacks/attacks.test.ts',
  'src/rooted-fs/attacks/generated-attacks.test.ts',
];

/** Begins with the long files, so that none of them runs alone at the end. */
export default class LongFirst extends BaseSequencer {
  async sort(files) {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }) => long.some((end) => moduleId.endsWith(end));
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
