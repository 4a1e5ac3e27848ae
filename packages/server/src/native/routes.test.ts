import { operations } from '@sandport/protocol';
import type { Engine } from '@sandport/engine';
import { expect, test } from 'vitest';
import { nativeRoutes } from './routes.ts';

/** They take every method, and come before the routes. */
const previewWays = ['GET /v1/p/{token}/{path}', 'GET /v1/sandboxes/{id}/proxy/{port}/{path}'];

test('every route stands in the OpenAPI file, and every operation there is a route', () => {
  // Registering routes touches no engine.
  const routes = nativeRoutes({} as Engine, {
    version: '0',
    idleTimeoutMs: 1,
    previewHost: { suffix: 'localhost' },
    stopping: new AbortController().signal,
    onUnexpected: () => {},
  });
  const nameOf = ({ method, path }: { method: string; path: string }) =>
    `${method.toUpperCase()} ${path.replace(/:(\w+)/g, '{$1}')}`;
  const described = routes.filter(({ aliasOf }) => aliasOf === undefined);
  expect([...described.map(nameOf), ...previewWays].sort()).toEqual(operations.map(nameOf).sort());
  const paths = new Set(described.map(({ path }) => path));
  for (const { aliasOf } of routes) if (aliasOf !== undefined) expect(paths).toContain(aliasOf);
  const openRoutes = routes.filter(({ open }) => open).map(nameOf);
  const openOperations = operations
    .filter(({ open, path }) => open && !path.startsWith('/v1/p/'))
    .map(nameOf);
  expect(openRoutes.sort()).toEqual(openOperations.sort());
  // Whoever adds to these has thought about it.
  expect(openRoutes).toEqual([
    'GET /healthz',
    'GET /v1/links/{token}',
    'HEAD /v1/links/{token}',
    'OPTIONS /v1/links/{token}',
    'OPTIONS /v1/sandboxes/{id}/uploads',
    'OPTIONS /v1/sandboxes/{id}/uploads/{upload}',
    'PUT /v1/links/{token}',
  ]);
});
