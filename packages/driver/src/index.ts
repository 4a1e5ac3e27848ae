export * from './commands.ts';
export * from './driver.ts';
export * from './files/index.ts';
