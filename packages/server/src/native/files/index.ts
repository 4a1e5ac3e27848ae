import type { Engine } from '@sandport/engine';
import type { Route } from '../../http/router.ts';
import { archiveRoutes } from './archive.ts';
import { batchRoutes } from './batch.ts';
import { changesRoutes } from './changes.ts';
import { entryRoutes } from './entries.ts';
import { entryOperationRoutes } from './entry-operations.ts';
import { linkRoutes } from './links.ts';
import { listRoutes } from './list.ts';
import { readFileRoutes } from './read-file.ts';
import { searchRoutes } from './search.ts';
import { uploadRoutes } from './uploads.ts';
import { watchRoutes } from './watch.ts';
import { writeFileRoutes } from './write-file.ts';

/** All routes about files. */
export const fileRoutes = (
  engine: Engine,
  options: { idleTimeoutMs: number; stopping: AbortSignal },
): Route[] => [
  ...readFileRoutes(engine),
  ...writeFileRoutes(engine, options),
  ...entryRoutes(engine),
  ...entryOperationRoutes(engine),
  ...listRoutes(engine),
  ...archiveRoutes(engine, options),
  ...searchRoutes(engine),
  ...batchRoutes(engine, options),
  ...changesRoutes(engine),
  ...watchRoutes(engine, options),
  ...uploadRoutes(engine, options),
  ...linkRoutes(engine, options),
];
