import { type Engine, replaceInFiles, searchFiles } from '@sandport/engine';
import { parseGuestPath, replaceSchema, searchSchema } from '@sandport/protocol';
import { readJson } from '../../http/read-json.ts';
import type { Route } from '../../http/router.ts';
import { filesToRead, filesToWrite } from './path.ts';

/** Text in many files: found, or replaced. */
export const searchRoutes = (engine: Engine): Route[] => [
  {
    method: 'POST',
    path: '/v1/sandboxes/:id/fs/search',
    handle: async (exchange) => {
      const request = await readJson(exchange, searchSchema);
      const path = parseGuestPath(request.path);
      const files = await filesToRead(exchange, engine);
      const { signal } = exchange;
      exchange.json(200, await searchFiles(files, path, request, { signal }));
    },
  },
  {
    method: 'POST',
    path: '/v1/sandboxes/:id/fs/replace',
    handle: async (exchange) => {
      const request = await readJson(exchange, replaceSchema);
      const path = parseGuestPath(request.path);
      const files = await filesToWrite(exchange, engine);
      const { signal } = exchange;
      const { memory } = engine.files;
      exchange.json(200, await replaceInFiles(files, path, request, { memory, signal }));
    },
  },
];
