import type { Engine } from '@sandport/engine';
import type { Route } from '../../http/router.ts';
import { filesToWrite, pathOf } from './path.ts';
import { receiveFile } from './receive-file.ts';
import { writeRequestOf } from './write-options.ts';

/**
 * Writes a file from the body, streamed and atomic: the file appears whole, or not at all. With
 * `append` or `offset` the bytes are collected and then put into the file that is there.
 */
export const writeFileRoutes = (engine: Engine, options: { idleTimeoutMs: number }): Route[] => [
  {
    method: 'PUT',
    path: '/v1/sandboxes/:id/fs',
    handle: async (exchange) => {
      const path = pathOf(exchange);
      const { inPlace, options: wanted } = writeRequestOf(exchange);
      const begin = async () => {
        const files = await filesToWrite(exchange, engine);
        return inPlace ? files.patch(path, wanted) : files.write(path, wanted);
      };
      await receiveFile(exchange, begin, { path, ...options });
    },
  },
];
