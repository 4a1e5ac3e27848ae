export * from './bound.ts';
export * from './ipv4.ts';
export * from './namespace-network.ts';
export * from './network.ts';
export * from './rule.ts';
