import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KubeError } from '../objects/kube-error.ts';
import type { KubeObject } from '../objects/kube-object.ts';
import { parseFieldSelector } from './field-selector.ts';
import { parseLabelSelector } from './label-selector.ts';

const object = (labels: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'one', namespace: 'default', labels },
  spec: { nodeName: 'here', count: 3 },
  status: { phase: 'Running' },
  involvedObject: { uid: 'u,1' },
});

const selects = (selector: string, labels: Record<string, string>) =>
  parseLabelSelector(selector)?.(object(labels)) ?? true;

describe('parseLabelSelector', () => {
  test.each([
    ['', {}, true],
    ['a=b', { a: 'b' }, true],
    ['a==b', { a: 'b' }, true],
    ['a = b', { a: 'c' }, false],
    ['a!=b', { a: 'c' }, true],
    ['a!=b', {}, true],
    ['a!=b', { a: 'b' }, false],
    ['a', { a: '' }, true],
    ['a', {}, false],
    ['!a', {}, true],
    ['! a', { a: 'x' }, false],
    ['a in (b, c)', { a: 'c' }, true],
    ['a in (b,c)', {}, false],
    ['a notin (b,c)', {}, true],
    ['a notin (b,c)', { a: 'b' }, false],
    ['a in ()', { a: '' }, true],
    ['a=,b=c', { a: '', b: 'c' }, true],
    ['example.org/a-b.c in (x),!z', { 'example.org/a-b.c': 'x' }, true],
    ['in=in', { in: 'in' }, true],
    [
      'agents.x-k8s.io/sandbox-name-hash=0a1b',
      { 'agents.x-k8s.io/sandbox-name-hash': '0a1b' },
      true,
    ],
  ])('%s of %o: %s', (selector, labels, expected) => {
    expect(selects(selector, labels)).toBe(expected);
  });

  test.each([
    'a=b,',
    ',a',
    'a in b',
    'a in (b',
    'a in',
    '=b',
    'a=b=c',
    'a b',
    '!',
    '!a=b',
    'a=ü',
    'a>1',
    '(',
    '$',
  ])('refuses %s', (selector) => {
    expect(() => parseLabelSelector(selector)).toThrow(KubeError);
  });

  test('reads or refuses any text, in time that does not grow beyond it', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ maxLength: 300 }), fc.stringMatching(/^[a-b=!,() in]{0,200}$/)),
        (text) => {
          try {
            parseLabelSelector(text)?.(object({ a: 'b' }));
          } catch (error) {
            expect(error).toBeInstanceOf(KubeError);
          }
        },
      ),
    );
    const startedAt = performance.now();
    for (const text of [
      '('.repeat(16_000),
      'a'.repeat(16_000),
      ' '.repeat(16_000),
      'a,'.repeat(8000),
    ]) {
      try {
        parseLabelSelector(text);
      } catch (error) {
        expect(error).toBeInstanceOf(KubeError);
      }
    }
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });
});

describe('parseFieldSelector', () => {
  test.each([
    ['', true],
    ['metadata.name=one', true],
    ['metadata.name==one,metadata.namespace=default', true],
    ['metadata.name!=one', false],
    ['status.phase=Running,spec.nodeName!=there', true],
    ['spec.count=3', true],
    ['spec.absent=', true],
    ['spec.absent!=x', true],
    ['spec=x', false],
    ['involvedObject.uid=u\\,1', true],
    ['metadata.__proto__.x=', true],
    ['metadata.constructor.name=Object', false],
  ])('%s: %s', (selector, expected) => {
    if (selector === 'spec=x' || selector.includes('__proto__')) {
      expect(() => parseFieldSelector(selector)).toThrow(KubeError);
      return;
    }
    const { matches } = parseFieldSelector(selector);
    expect(matches?.(object({})) ?? true).toBe(expected);
  });

  test('says which name is asked for', () => {
    expect(parseFieldSelector('metadata.name=x').name).toBe('x');
    expect(parseFieldSelector('metadata.name!=x').name).toBeUndefined();
    expect(parseFieldSelector('metadata.namespace=n').namespace).toBe('n');
  });

  test('reads or refuses any text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        try {
          parseFieldSelector(text).matches?.(object({}));
        } catch (error) {
          expect(error).toBeInstanceOf(KubeError);
        }
      }),
    );
    expect(() => parseFieldSelector('a.b=c,'.repeat(65))).toThrow('more than 64 terms');
  });
});
