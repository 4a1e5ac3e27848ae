export * from './error-table.ts';
export * from './exec.ts';
export * from './files.ts';
export * from './guest-path.ts';
export * from './ids.ts';
export * from './resources.ts';
export * from './sandbox.ts';
export * from './sandport-fault.ts';
