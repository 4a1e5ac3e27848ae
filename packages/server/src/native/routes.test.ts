import { operations } from '@sandport/protocol';
import type { Engine } from '@sandport/engine';
import { expect, test } from 'vitest';
import { nativeRoutes } from './routes.ts';

test('every route stands in the OpenAPI file, and every operation there is a route', () => {
  // Registering routes touches no engine.
  const routes = nativeRoutes({} as Engine, {
    version: '0',
    idleTimeoutMs: 1,
    stopping: new AbortController().signal,
  });
  const served = routes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
  const described = operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  expect(served.sort()).toEqual(described.sort());
  const open = routes.filter((route) => route.open).map(({ path }) => path);
  expect(open).toEqual(['/healthz']);
});
