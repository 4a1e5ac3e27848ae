export * from './command.ts';
export * from './exec.ts';
export * from './signal.ts';
export * from './socket.ts';
