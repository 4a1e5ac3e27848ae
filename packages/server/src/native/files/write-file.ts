import type { Route } from '../../http/router.ts';
import type { FilePlace } from './file-place.ts';
import { pathOf } from './path.ts';
import { receiveFile } from './receive-file.ts';
import { writeRequestOf } from './write-options.ts';

/**
 * Writes a file from the body, streamed and atomic: the file appears whole, or not at all. With
 * `append` or `offset` the bytes are collected and then put into the file that is there.
 */
export const writeFileRoutes = (place: FilePlace, options: { idleTimeoutMs: number }): Route[] => [
  {
    method: 'PUT',
    path: place.prefix,
    handle: async (exchange) => {
      const path = pathOf(exchange);
      const { inPlace, options: wanted } = writeRequestOf(exchange);
      const begin = async () => {
        const files = await place.toWrite(exchange);
        return inPlace ? files.patch(path, wanted) : files.write(path, wanted);
      };
      await receiveFile(exchange, begin, { path, ...options });
    },
  },
];
