import type { Engine } from '@sandport/engine';
import { SandportFault } from '@sandport/protocol';
import type { Exchange } from '../http/exchange.ts';
import type { Route } from '../http/router.ts';

/** The `path` of the query. */
export function pathOf(exchange: Exchange): string {
  const path = exchange.query.get('path');
  if (path === undefined)
    throw new SandportFault('invalid_path', 'The query has no `path`.', { path: '' });
  return path;
}

/** Files without their bytes: list, stat, remove, make a directory. */
export const fileRoutes = (engine: Engine): Route[] => [
  {
    method: 'GET',
    path: '/v1/sandboxes/:id/fs/dir',
    handle: async (exchange) => {
      const path = exchange.query.get('path') ?? '/';
      exchange.json(200, await engine.files.list(exchange.principal, exchange.param('id'), path));
    },
  },
  {
    method: 'GET',
    path: '/v1/sandboxes/:id/fs/stat',
    handle: async (exchange) => {
      const entry = await engine.files.stat(
        exchange.principal,
        exchange.param('id'),
        pathOf(exchange),
        { followSymlinks: exchange.query.flag('follow_symlinks', true) },
      );
      exchange.json(200, entry);
    },
  },
  {
    method: 'DELETE',
    path: '/v1/sandboxes/:id/fs',
    handle: async (exchange) => {
      const mustExist = exchange.query.flag('must_exist', false);
      try {
        await engine.files.remove(exchange.principal, exchange.param('id'), pathOf(exchange), {
          recursive: exchange.query.flag('recursive', true),
          signal: exchange.signal,
        });
      } catch (error) {
        const missing = error instanceof SandportFault && error.code === 'file_not_found';
        if (mustExist || !missing) throw error;
      }
      exchange.empty();
    },
  },
  {
    method: 'POST',
    path: '/v1/sandboxes/:id/fs/mkdir',
    handle: async (exchange) => {
      const path = await engine.files.makeDirectory(
        exchange.principal,
        exchange.param('id'),
        pathOf(exchange),
      );
      exchange.json(200, { path });
    },
  },
];
