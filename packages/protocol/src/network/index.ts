export * from './ipv4.ts';
export * from './network.ts';
export * from './rule.ts';
