export { createLocalDriver } from './create-local-driver.ts';
export type { LocalDriverOptions, Log, LogLevel } from './options.ts';
