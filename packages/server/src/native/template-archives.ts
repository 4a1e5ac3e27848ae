import { type Engine, requireAdministrator } from '@sandport/engine';
import { SandportFault } from '@sandport/protocol';
import type { Route } from '../http/router.ts';
import { receiveChecked } from './files/receive-file.ts';

/** Image archives that clients send for a build. */
export const templateArchiveRoutes = (
  { templates }: Engine,
  { idleTimeoutMs }: { idleTimeoutMs: number },
): Route[] => [
  {
    method: 'POST',
    path: '/v1/templates/archives',
    handle: async (exchange) => {
      requireAdministrator(exchange.principal);
      const archive = await templates.archives.receive();
      try {
        await receiveChecked(exchange, archive.stream, { path: 'the archive', idleTimeoutMs });
        exchange.json(201, { upload: archive.commit(), bytes: exchange.bytesIn });
      } catch (error) {
        throw isFull(error)
          ? new SandportFault('disk_full', 'The disk is full; the archive was not taken.')
          : error;
      } finally {
        await archive.abort();
      }
    },
  },
];

const isFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOSPC';
