import { type Engine, replaceInFiles, searchFiles } from '@sandport/engine';
import { parseGuestPath, replaceSchema, searchSchema } from '@sandport/protocol';
import { readJson } from '../../http/read-json.ts';
import type { Route } from '../../http/router.ts';
import type { FilePlace } from './file-place.ts';

/** Text in many files: found, or replaced. */
export const searchRoutes = (engine: Engine, place: FilePlace): Route[] => [
  {
    method: 'POST',
    path: `${place.prefix}/search`,
    handle: async (exchange) => {
      const request = await readJson(exchange, searchSchema);
      const path = parseGuestPath(request.path);
      const files = await place.toLook(exchange);
      const { signal } = exchange;
      exchange.json(200, await searchFiles(files, path, request, { signal }));
    },
  },
  {
    method: 'POST',
    path: `${place.prefix}/replace`,
    handle: async (exchange) => {
      const request = await readJson(exchange, replaceSchema);
      const path = parseGuestPath(request.path);
      const files = await place.toWrite(exchange);
      const { signal } = exchange;
      const { memory } = engine.files;
      exchange.json(200, await replaceInFiles(files, path, request, { memory, signal }));
    },
  },
];
