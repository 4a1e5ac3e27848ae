export type { Route } from './http/router.ts';
export { nativeRoutes } from './native/routes.ts';
export { HttpServer, type ServerOptions } from './server.ts';
