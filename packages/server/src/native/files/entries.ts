import type { Engine } from '@sandport/engine';
import { SandportFault } from '@sandport/protocol';
import type { Route } from '../../http/router.ts';
import { filesToRead, filesToWrite, pathOf } from './path.ts';
import { modeOf } from './write-options.ts';

/** Entries without their bytes: stat, disk usage, remove, make a directory. */
export const entryRoutes = (engine: Engine): Route[] => [
  {
    method: 'GET',
    path: '/v1/sandboxes/:id/fs/stat',
    handle: async (exchange) => {
      const path = pathOf(exchange);
      const files = await filesToRead(exchange, engine);
      const followSymlinks = exchange.query.flag('follow_symlinks', true);
      exchange.json(200, await files.stat(path, { followSymlinks }));
    },
  },
  {
    method: 'GET',
    path: '/v1/sandboxes/:id/fs/du',
    handle: async (exchange) => {
      const path = pathOf(exchange);
      const files = await filesToRead(exchange, engine);
      exchange.json(200, await files.diskUsage(path, { signal: exchange.signal }));
    },
  },
  {
    method: 'DELETE',
    path: '/v1/sandboxes/:id/fs',
    handle: async (exchange) => {
      const path = pathOf(exchange);
      const mustExist = exchange.query.flag('must_exist', false);
      const recursive = exchange.query.flag('recursive', true);
      const files = await filesToWrite(exchange, engine);
      try {
        await files.remove(path, { recursive, signal: exchange.signal });
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
      const path = pathOf(exchange);
      const mode = modeOf(exchange);
      const files = await filesToWrite(exchange, engine);
      await files.makeDirectory(path, mode === undefined ? {} : { mode });
      exchange.json(200, { path });
    },
  },
];
