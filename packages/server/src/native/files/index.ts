import type { Engine } from '@sandport/engine';
import type { Route } from '../../http/router.ts';
import { entryRoutes } from './entries.ts';
import { listRoutes } from './list.ts';
import { readFileRoutes } from './read-file.ts';
import { writeFileRoutes } from './write-file.ts';

/** All routes about files. */
export const fileRoutes = (engine: Engine, options: { idleTimeoutMs: number }): Route[] => [
  ...readFileRoutes(engine),
  ...writeFileRoutes(engine, options),
  ...entryRoutes(engine),
  ...listRoutes(engine),
];
