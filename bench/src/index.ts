export * from './floor-server.ts';
export * from './http-client.ts';
export * from './report.ts';
export * from './statistics.ts';
