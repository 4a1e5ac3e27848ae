import { expect, test } from 'vitest';
import { KubeError } from '../../objects/kube-error.ts';
import { decodeBody } from './decode-body.ts';
import { isTooDeepForYaml } from './yaml-depth.ts';

const deep: readonly (readonly [string, string])[] = [
  ['lists in brackets', `a: ${'['.repeat(100_000)}`],
  ['closed brackets', `${'['.repeat(1000)}${']'.repeat(1000)}`],
  ['maps in braces', '{a: '.repeat(20_000)],
  ['brackets over many lines', '[\n'.repeat(50_000)],
  ['lists on one line', `${'- '.repeat(100_000)}x`],
  ['keys that are keys', `${'? '.repeat(100_000)}x`],
  ['lists and keys', `${'- ? '.repeat(50_000)}x`],
  ['indented maps', Array.from({ length: 700 }, (_, at) => `${' '.repeat(at)}a:`).join('\n')],
  ['after carriage returns', '[\r'.repeat(50_000)],
];

test.each(deep)('refuses %s', (_, text) => {
  expect(isTooDeepForYaml(text)).toBe(true);
  expect(() => decodeBody(text)).toThrow(/too deeply|deeper than|unrecognized/);
});

test('lets objects pass as people write them', () => {
  const script = 'case $1 in [a-z]) echo ${x[1]};; esac\n'.repeat(50);
  const text = `spec:\n  list:\n  - - {a: [1, 2]}\n  script: |\n    ${script.replaceAll('\n', '\n    ')}`;
  expect(isTooDeepForYaml(text)).toBe(false);
  expect(decodeBody(text)).toMatchObject({ spec: { list: [[{ a: [1, 2] }]] } });
});

test('what is just not too deep does not exhaust the stack', () => {
  for (const text of [
    `${'['.repeat(199)}${']'.repeat(199)}`,
    `${'- '.repeat(199)}x`,
    `${'- ? '.repeat(99)}x`,
    `${' '.repeat(200)}${'- '.repeat(99)}${'['.repeat(199)}${']'.repeat(199)}`,
  ]) {
    expect(isTooDeepForYaml(text)).toBe(false);
    try {
      decodeBody(text);
    } catch (error) {
      expect(error).toBeInstanceOf(KubeError);
    }
  }
});
