import type { Engine } from '@sandport/engine';
import type { FileEntry } from '@sandport/protocol';
import type { Route } from '../../http/router.ts';
import { filesToRead, pathOf } from './path.ts';

/** Entries of a directory, or of all below it, in pages. */
export const listRoutes = (engine: Engine): Route[] => [
  {
    method: 'GET',
    path: '/v1/sandboxes/:id/fs/dir',
    handle: async (exchange) => {
      const path = pathOf(exchange, '/');
      const files = await filesToRead(exchange, engine);
      const entries: FileEntry[] = [];
      for await (const { entry } of files.walk(path, { depth: 1 })) entries.push(entry);
      exchange.json(200, { path, entries, truncated: false });
    },
  },
];
