export * from './batch.ts';
export * from './entry.ts';
export * from './ids.ts';
export * from './list.ts';
export * from './search.ts';
export * from './transfer.ts';
export * from './write.ts';
