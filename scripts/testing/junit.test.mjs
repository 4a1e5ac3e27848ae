import { expect, test } from 'vitest';
import { readJunit } from './junit.mjs';

test('counts passes, failures, errors and skips with their reasons', () => {
  const xml = `<?xml version="1.0"?><testsuites><testsuite tests="4">
    <testcase classname="a.b" name="one" time="0.1" />
    <testcase classname="a.b" name="two"><failure message="no &gt; yes">x</failure></testcase>
    <testcase classname="a.b" name="three"><error message="setup">x</error></testcase>
    <testcase classname="a.b" name="four"><skipped type="pytest.skip" message="no &quot;runsc&quot; here">x</skipped></testcase>
  </testsuite></testsuites>`;
  expect(readJunit(xml, 'suite')).toEqual({
    passed: 1,
    failed: 2,
    skipped: [{ name: 'suite > a.b > four', reason: 'no "runsc" here' }],
    failures: [
      { name: 'suite > a.b > two', reason: 'no > yes' },
      { name: 'suite > a.b > three', reason: 'setup' },
    ],
    retried: [],
  });
});

test('a test that was tried again counts once, as it ended', () => {
  const xml = `<testsuites><testsuite>
    <testcase classname="a" name="one" /><testcase classname="a" name="one" />
    <testcase classname="a" name="two" /><testcase classname="a" name="two"><failure>x</failure></testcase>
  </testsuite></testsuites>`;
  const reruns = { 'a > one': 'expected 1 to be 2\n\n+ 1\n- 2' };
  expect(readJunit(xml, 'suite', reruns)).toEqual({
    passed: 1,
    failed: 1,
    skipped: [],
    failures: [{ name: 'suite > a > two', reason: '' }],
    retried: [{ name: 'suite > a > one', reason: 'expected 1 to be 2\n+ 1\n- 2' }],
  });
});
