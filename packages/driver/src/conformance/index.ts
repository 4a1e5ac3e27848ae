import { afterAll, describe, test } from 'vitest';
import { adoptionSuite } from './adoption-suite.ts';
import { changesSuite } from './changes-suite.ts';
import { commandsSuite } from './commands-suite.ts';
import { createSuite } from './create-suite.ts';
import { entriesSuite } from './entries-suite.ts';
import { filesSuite } from './files-suite.ts';
import { hostileSuite } from './hostile-suite.ts';
import { keptDiskSuite } from './kept-disk-suite.ts';
import { keptSuite } from './kept-suite.ts';
import { limitsSuite } from './limits-suite.ts';
import { heldFilesSuite } from './held-files-suite.ts';
import { forkSuite } from './fork-suite.ts';
import { hibernationSuite } from './hibernation-suite.ts';
import { pauseSuite } from './pause-suite.ts';
import { portsSuite } from './ports-suite.ts';
import { reconfigureSuite } from './reconfigure-suite.ts';
import { smallFilesSuite } from './small-files-suite.ts';
import { snapshotsSuite } from './snapshots-suite.ts';
import { stagedFilesSuite } from './staged-files-suite.ts';
import type { ConformanceSubject } from './subject.ts';
import { terminalsSuite } from './terminals-suite.ts';
import { treesSuite } from './trees-suite.ts';
import { volumesSuite } from './volumes-suite.ts';
import { wallsSuite } from './walls-suite.ts';
import { watchSuite } from './watch-suite.ts';

export type { ConformanceSubject, Lacking } from './subject.ts';

const diskSuites = [
  entriesSuite,
  heldFilesSuite,
  volumesSuite,
  changesSuite,
  limitsSuite,
  adoptionSuite,
  hibernationSuite,
  forkSuite,
  snapshotsSuite,
  keptDiskSuite,
  reconfigureSuite,
];

const otherSuites = [
  createSuite,
  commandsSuite,
  keptSuite,
  terminalsSuite,
  portsSuite,
  filesSuite,
  smallFilesSuite,
  stagedFilesSuite,
  treesSuite,
  watchSuite,
  wallsSuite,
  hostileSuite,
  pauseSuite,
];

export interface ConformanceOptions {
  /** `disks`: those about disks and volumes alone, for another storage. @default 'all' */
  readonly suites?: 'all' | 'disks';
}

/** Declares the vitest suites that every driver passes, for one isolation of it. */
export function driverConformance(
  name: string,
  subject: ConformanceSubject,
  { suites = 'all' }: ConformanceOptions = {},
): void {
  if (subject.unavailable !== undefined) {
    test.skip(`${name}: ${subject.unavailable}`, () => {});
    return;
  }
  describe(name, () => {
    afterAll(() => subject.cleanup());
    for (const suite of diskSuites) suite(subject);
    if (suites === 'all') for (const suite of otherSuites) suite(subject);
  });
}
