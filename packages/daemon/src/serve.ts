import { pino } from 'pino';
import { ConfigError } from './config/config-error.ts';
import { type DaemonFlags, resolveConfig } from './config/resolve.ts';
import { startDaemon } from './daemon.ts';

/** How long a stop may take, in milliseconds. What was not finished is mended by the next start. */
const longestStopMs = 9_000;

/** Ends the process then, if something keeps it; does not keep it itself. */
const endAfter = (delayMs: number) => setTimeout(() => process.exit(0), delayMs).unref();

/**
 * Runs the daemon until SIGTERM or SIGINT. Sandboxes keep running and are taken over by the next
 * start. Logs go to standard error, lines for people to standard output.
 * @returns the exit code: 0, or 1 when it could not start
 */
export async function runServe(flags: DaemonFlags): Promise<number> {
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  try {
    const config = await resolveConfig(flags, process.env);
    if (process.getuid?.() !== 0)
      throw new ConfigError(
        'The daemon needs root, because it mounts file systems and makes namespaces: start it with sudo.',
      );
    const logger = pino({ level: config.logLevel }, pino.destination({ fd: 2, sync: false }));
    const announce = (line: string) => process.stdout.write(`${line}\n`);
    const daemon = await startDaemon(config, { logger, announce, environment: process.env });
    logger.info({ signal: await stopped }, 'stopping');
    endAfter(longestStopMs);
    await daemon[Symbol.asyncDispose]();
    logger.info('stopped');
    await new Promise<void>((resolve) => logger.flush(() => resolve()));
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`sandport: ${error.message}\n`);
    return 1;
  }
}
