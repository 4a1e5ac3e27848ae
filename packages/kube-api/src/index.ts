export * from './http/api-server-options.ts';
export * from './http/caller.ts';
export * from './objects/kube-error.ts';
export * from './objects/kube-object.ts';
export * from './objects/resource.ts';
export * from './store/object-store.ts';
export * from './store/object-table.ts';
export * from './streams/pod-streams.ts';
