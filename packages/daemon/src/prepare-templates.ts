import type { Engine } from '@sandport/engine';
import type { Logger } from 'pino';

export interface PrepareOptions {
  readonly logger: Logger;
  /** Gets a line for people when a build begins and when it ends. */
  readonly announce: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Builds the templates that are missing, one after the other, so that the first sandbox can be made
 * without another step. A build that fails is told and does not end the daemon.
 */
export async function prepareTemplates(
  engine: Engine,
  names: readonly string[],
  { logger, announce, signal }: PrepareOptions,
): Promise<void> {
  for (const name of names) {
    try {
      if ((await engine.templates.get(name)).status === 'ready') continue;
      announce(`Building the template ${name}, once; sandboxes that need it wait for it …`);
      const startedAt = performance.now();
      const onProgress = (line: string) => logger.debug({ template: name }, line);
      await engine.templates.build(name, { onProgress, signal });
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
      announce(`The template ${name} is ready after ${seconds} s.`);
    } catch (error) {
      if (signal.aborted) return;
      logger.error({ template: name, err: error }, 'a template could not be prepared');
      const why = error instanceof Error ? error.message : String(error);
      announce(`${why} Try again with: sandport template build ${name}`);
    }
  }
}
