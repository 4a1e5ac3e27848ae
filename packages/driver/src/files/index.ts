export * from './changes.ts';
export * from './held-file.ts';
export * from './open-file.ts';
export * from './sandbox-files.ts';
export * from './staged-file.ts';
export * from './trees.ts';
export * from './watch.ts';
