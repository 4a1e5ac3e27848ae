import { join } from 'node:path';
import { expect, test } from 'vitest';
import { importProblem, layerRules } from './layer-rules.mjs';
import { importSpecifiers, packageOf, specifierProblem } from './layers.mjs';

test('finds every kind of import, and none in comments', () => {
  const source = `
    import a from 'a';
    import type { B } from "b";
    import { c, type D } from '@scope/c/sub';
    import * as e from 'e';
    import 'f';
    export { g } from 'g';
    export * from './h.ts';
    const i = await import('i');
    // import j from 'j';
    /* import k from 'k'; */
    import {
      l,
    } from 'l';
  `;
  const expected = ['a', 'b', '@scope/c/sub', 'e', 'f', 'g', './h.ts', 'i', 'l'];
  expect(importSpecifiers(source)).toEqual(expected);
  expect(packageOf('@scope/c/sub')).toBe('@scope/c');
});

test('imports go down, never up or sideways', () => {
  expect(importProblem('@sandport/driver-local', '@sandport/linux')).toBeUndefined();
  expect(importProblem('@sandport/driver-local', '@sandport/driver')).toBeUndefined();
  expect(importProblem('@sandport/daemon', '@sandport/server')).toBeUndefined();
  expect(importProblem('@sandport/driver-local', '@sandport/state')).toMatch(/layer 1/);
  expect(importProblem('@sandport/linux', '@sandport/protocol')).toMatch(/layer 0/);
  expect(importProblem('@sandport/engine', '@sandport/driver-local')).toMatch(/may import only/);
  expect(importProblem('@sandport/cli', '@sandport/engine')).toMatch(/may import only/);
  expect(importProblem('sandport', '@sandport/engine')).toMatch(/may import only/);
  expect(importProblem('@sandport/new', '@sandport/linux')).toMatch(/no layer/);
});

test('whatever a rule lets a package import lies below it or is named beside it', () => {
  for (const [from, { layer, only = [] }] of Object.entries(layerRules)) {
    for (const to of only) {
      if (layerRules[to]) expect(layerRules[to].layer, `${from} → ${to}`).toBeLessThan(layer);
    }
  }
});

test('names what is wrong with an import', () => {
  const problem = (specifier, extra = {}) =>
    specifierProblem({
      from: '@sandport/engine',
      folder: '/repo/packages/engine',
      file: join('/repo/packages/engine/src', 'files.ts'),
      specifier,
      manifest: { dependencies: { '@sandport/driver': '1', koffi: '1' } },
      isTest: false,
      ...extra,
    });
  expect(problem('node:fs')).toBeUndefined();
  expect(problem('./other.ts')).toBeUndefined();
  expect(problem('@sandport/driver')).toBeUndefined();
  expect(problem('../../linux/src/index.ts')).toMatch(/relative path/);
  expect(problem('@sandport/driver/dist/files.js')).toMatch(/reaches into/);
  expect(problem('koffi')).toMatch(/only @sandport\/linux/);
  expect(problem('left-pad')).toMatch(/not in its package.json/);
  expect(problem('vitest')).toMatch(/not in its package.json/);
  expect(problem('vitest', { isTest: true })).toBeUndefined();
});
