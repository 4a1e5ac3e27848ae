import { SandportFault } from '@sandport/protocol';
import type { Route } from '../../http/router.ts';
import type { FilePlace } from './file-place.ts';
import { pathOf } from './path.ts';
import { modeOf } from './write-options.ts';

/** Entries without their bytes: stat, disk usage, remove, make a directory. */
export const entryRoutes = (place: FilePlace): Route[] => [
  {
    method: 'GET',
    path: `${place.prefix}/stat`,
    handle: async (exchange) => {
      const path = pathOf(exchange);
      const files = await place.toLook(exchange);
      const followSymlinks = exchange.query.flag('follow_symlinks', true);
      exchange.json(200, await files.stat(path, { followSymlinks }));
    },
  },
  {
    method: 'GET',
    path: `${place.prefix}/du`,
    handle: async (exchange) => {
      const path = pathOf(exchange);
      const files = await place.toLook(exchange);
      exchange.json(200, await files.diskUsage(path, { signal: exchange.signal }));
    },
  },
  {
    method: 'DELETE',
    path: place.prefix,
    handle: async (exchange) => {
      const path = pathOf(exchange);
      const mustExist = exchange.query.flag('must_exist', false);
      const recursive = exchange.query.flag('recursive', true);
      const files = await place.toWrite(exchange);
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
    path: `${place.prefix}/mkdir`,
    handle: async (exchange) => {
      const path = pathOf(exchange);
      const mode = modeOf(exchange);
      const files = await place.toWrite(exchange);
      await files.makeDirectory(path, mode === undefined ? {} : { mode });
      exchange.json(200, { path });
    },
  },
];
