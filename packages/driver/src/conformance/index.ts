import { afterAll, describe, test } from 'vitest';
import { adoptionSuite } from './adoption-suite.ts';
import { changesSuite } from './changes-suite.ts';
import { commandsSuite } from './commands-suite.ts';
import { createSuite } from './create-suite.ts';
import { entriesSuite } from './entries-suite.ts';
import { filesSuite } from './files-suite.ts';
import { hostileSuite } from './hostile-suite.ts';
import { limitsSuite } from './limits-suite.ts';
import { forkSuite } from './fork-suite.ts';
import { hibernationSuite } from './hibernation-suite.ts';
import { pauseSuite } from './pause-suite.ts';
import { reconfigureSuite } from './reconfigure-suite.ts';
import { smallFilesSuite } from './small-files-suite.ts';
import { snapshotsSuite } from './snapshots-suite.ts';
import { stagedFilesSuite } from './staged-files-suite.ts';
import type { ConformanceSubject } from './subject.ts';
import { treesSuite } from './trees-suite.ts';
import { volumesSuite } from './volumes-suite.ts';
import { wallsSuite } from './walls-suite.ts';
import { watchSuite } from './watch-suite.ts';

export type { ConformanceSubject, Lacking } from './subject.ts';

/** Declares the vitest suites that every driver passes, for one isolation of it. */
export function driverConformance(name: string, subject: ConformanceSubject): void {
  if (subject.unavailable !== undefined) {
    test.skip(`${name}: ${subject.unavailable}`, () => {});
    return;
  }
  describe(name, () => {
    afterAll(() => subject.cleanup());
    createSuite(subject);
    commandsSuite(subject);
    filesSuite(subject);
    entriesSuite(subject);
    volumesSuite(subject);
    smallFilesSuite(subject);
    stagedFilesSuite(subject);
    treesSuite(subject);
    watchSuite(subject);
    changesSuite(subject);
    limitsSuite(subject);
    wallsSuite(subject);
    hostileSuite(subject);
    adoptionSuite(subject);
    pauseSuite(subject);
    hibernationSuite(subject);
    forkSuite(subject);
    snapshotsSuite(subject);
    reconfigureSuite(subject);
  });
}
