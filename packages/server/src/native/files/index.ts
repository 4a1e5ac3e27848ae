import type { Engine } from '@sandport/engine';
import type { Route } from '../../http/router.ts';
import { archiveRoutes } from './archive.ts';
import { batchRoutes } from './batch.ts';
import { changesRoutes } from './changes.ts';
import { entryRoutes } from './entries.ts';
import { entryOperationRoutes } from './entry-operations.ts';
import { type FilePlace, sandboxPlace, volumePlace } from './file-place.ts';
import { linkRoutes } from './links.ts';
import { listRoutes } from './list.ts';
import { readFileRoutes } from './read-file.ts';
import { searchRoutes } from './search.ts';
import { uploadRoutes } from './uploads.ts';
import { watchRoutes } from './watch.ts';
import { writeFileRoutes } from './write-file.ts';

/** All routes about files: of sandboxes, and of volumes without any sandbox. */
export const fileRoutes = (
  engine: Engine,
  options: { idleTimeoutMs: number; stopping: AbortSignal },
): Route[] => {
  const [sandbox, volume] = [sandboxPlace(engine), volumePlace(engine)];
  return [
    ...routesOf(engine, sandbox, options),
    ...routesOf(engine, volume, options),
    ...watchRoutes([sandbox, volume], options),
    ...changesRoutes(sandbox),
    ...uploadRoutes(engine, options),
    ...linkRoutes(engine, options),
  ];
};

const routesOf = (
  engine: Engine,
  place: FilePlace,
  options: { idleTimeoutMs: number },
): Route[] => [
  ...readFileRoutes(place),
  ...writeFileRoutes(place, options),
  ...entryRoutes(place),
  ...entryOperationRoutes(place),
  ...listRoutes(place),
  ...archiveRoutes(place, options),
  ...searchRoutes(engine, place),
  ...batchRoutes(engine, place, options),
];
