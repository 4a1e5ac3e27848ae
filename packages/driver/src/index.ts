export * from './commands.ts';
export * from './kept-commands.ts';
export * from './driver.ts';
export * from './files/index.ts';
export * from './snapshots.ts';
export * from './templates.ts';
export * from './volumes.ts';
