export { buildOpenApi } from './openapi/build-open-api.ts';
export type { Operation } from './openapi/operation.ts';
export { operations } from './openapi/operations.ts';
