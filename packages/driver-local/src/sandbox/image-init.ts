import { existsSync, linkSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { DriverContext } from '../context.ts';
import { installInit } from '../init-copy.ts';
import { initMount } from '../oci/spec.ts';
import type { SandboxLayout } from '../layout.ts';

/** Beside the memory in an image: the binary that its first process runs. */
const initFile = 'init';

const bundleSchema = z.object({
  mounts: z.array(z.object({ destination: z.string(), source: z.string() })),
});

/**
 * Keeps the init that a sandbox runs with the image of its memory: most of a program's pages are
 * read from its file again, and a later release brings another file.
 */
export function keepInit(context: DriverContext, layout: SandboxLayout, imageDir: string): void {
  const config: unknown = JSON.parse(readFileSync(join(layout.bundle, 'config.json'), 'utf8'));
  const { mounts } = bundleSchema.parse(config);
  const source = mounts.find(({ destination }) => destination === initMount)?.source;
  if (source === undefined) throw new Error('its bundle names no init');
  linkSync(installInit(source, context.layout.inits), join(imageDir, initFile));
}

/** The init for processes from an image, or for new ones without one, where sandboxes reach it. */
export function initBinaryFor(context: DriverContext, imageDir: string | undefined): string {
  const kept = imageDir === undefined ? undefined : join(imageDir, initFile);
  if (kept === undefined || !existsSync(kept)) return context.initBinary;
  return installInit(kept, context.layout.initBinaries);
}
