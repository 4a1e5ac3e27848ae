import { writeFileSync } from 'node:fs';
import { shortReason } from './short-reason.mjs';

/**
 * Vitest reporter that writes what `npm test` adds up to the file in SANDPORT_VITEST_REPORT:
 * {passed, failed, skipped, failures, retried}, the last three as [{name, reason}]. The reason of a
 * test that was tried again is why it failed first.
 */
export default class SandportReport {
  onTestRunEnd(modules, unhandledErrors) {
    const report = { passed: 0, failed: 0, skipped: [], failures: [], retried: [] };
    const fail = (name, errors = []) => {
      report.failed += 1;
      report.failures.push({ name, reason: reasonOf(errors) });
    };
    for (const module of modules) {
      const place = module.relativeModuleId ?? module.moduleId;
      // A file or a suite that failed outside its tests counts as one failure of its own.
      if (module.errors().length > 0) fail(`${place} (the file itself)`, module.errors());
      for (const suite of module.children.allSuites()) {
        if (suite.errors().length === 0) continue;
        fail(`${place} > ${suite.fullName} (the suite itself)`, suite.errors());
      }
      for (const test of module.children.allTests()) {
        const { state, note, errors } = test.result();
        const name = `${place} > ${test.fullName}`;
        if (test.diagnostic()?.flaky) report.retried.push({ name, reason: reasonOf(errors) });
        if (state === 'passed') report.passed += 1;
        else if (state === 'failed') fail(name, errors);
        else if (state === 'skipped') report.skipped.push({ name, reason: note ?? '' });
        else fail(`${name} (did not finish)`);
      }
    }
    for (const error of unhandledErrors) fail(`unhandled error: ${error.message}`, [error]);
    writeFileSync(process.env.SANDPORT_VITEST_REPORT, JSON.stringify(report));
  }
}

/** The first error's message and place. */
function reasonOf(errors) {
  const error = errors?.[0];
  if (error === undefined) return '';
  const frame = error.stacks?.[0];
  const place = frame === undefined ? '' : ` (line ${frame.line} of ${frame.file})`;
  return `${shortReason(error.message)}${place}`;
}
