import { shortReason } from './short-reason.mjs';

const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const decode = (text) =>
  text.replace(/&(#x?[0-9a-f]+|\w+);/gi, (whole, name) => {
    if (name.startsWith('#x')) return String.fromCodePoint(Number.parseInt(name.slice(2), 16));
    if (name.startsWith('#')) return String.fromCodePoint(Number(name.slice(1)));
    return entities[name] ?? whole;
  });

const attribute = (tag, name) => decode(tag.match(new RegExp(`\\s${name}="([^"]*)"`))?.[1] ?? '');

/**
 * Adds up the JUnit report that pytest writes: {passed, failed, skipped, failures, retried}, the
 * last three as [{name, reason}]. A test that was tried again is in it once for each try, and only
 * the last of them may have failed; why the first did is in `reruns`, by its class and name.
 */
export function readJunit(xml, suite, reruns = {}) {
  const tries = new Map();
  for (const match of xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
    const name = `${attribute(match[1], 'classname')} > ${attribute(match[1], 'name')}`;
    tries.set(name, [...(tries.get(name) ?? []), match[2] ?? '']);
  }
  const report = { passed: 0, failed: 0, skipped: [], failures: [], retried: [] };
  for (const [inSuite, bodies] of tries) {
    const name = `${suite} > ${inSuite}`;
    const body = bodies.join('');
    const skipped = body.match(/<skipped\b([^>]*)>/);
    const failed = body.match(/<(?:failure|error)\b([^>]*)>/);
    if (failed) {
      report.failed += 1;
      report.failures.push({ name, reason: shortReason(attribute(failed[1], 'message')) });
    } else if (skipped) {
      report.skipped.push({ name, reason: attribute(skipped[1], 'message') });
    } else {
      report.passed += 1;
      if (bodies.length > 1) {
        report.retried.push({ name, reason: shortReason(reruns[inSuite]) });
      }
    }
  }
  return report;
}
