import { writeFileSync } from 'node:fs';

/**
 * Vitest reporter that writes what `npm test` adds up, with the reasons of skipped tests, to the
 * file in SANDPORT_VITEST_REPORT: {passed, failed, skipped: [{name, reason}], failures: [name],
 * retried: [name]}.
 */
export default class SandportReport {
  onTestRunEnd(modules, unhandledErrors) {
    const report = { passed: 0, failed: 0, skipped: [], failures: [], retried: [] };
    const fail = (name) => {
      report.failed += 1;
      report.failures.push(name);
    };
    for (const module of modules) {
      const place = module.relativeModuleId ?? module.moduleId;
      // A file or a suite that failed outside its tests counts as one failure of its own.
      if (module.errors().length > 0) fail(`${place} (the file itself)`);
      for (const suite of module.children.allSuites()) {
        if (suite.errors().length > 0) fail(`${place} > ${suite.fullName} (the suite itself)`);
      }
      for (const test of module.children.allTests()) {
        const { state, note } = test.result();
        const name = `${place} > ${test.fullName}`;
        if (test.diagnostic()?.flaky) report.retried.push(name);
        if (state === 'passed') report.passed += 1;
        else if (state === 'failed') fail(name);
        else if (state === 'skipped') report.skipped.push({ name, reason: note ?? '' });
        else fail(`${name} (did not finish)`);
      }
    }
    for (const error of unhandledErrors) fail(`unhandled error: ${error.message}`);
    writeFileSync(process.env.SANDPORT_VITEST_REPORT, JSON.stringify(report));
  }
}
