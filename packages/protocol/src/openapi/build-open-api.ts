import { z } from 'zod';
import { type ErrorCode, errorTable } from '../error-table.ts';
import type { Body, Operation, Parameter } from './operation.ts';
import { operations } from './operations.ts';

type Json = Record<string, unknown>;

/** Errors that any protected route may answer. */
const commonErrors: readonly ErrorCode[] = [
  'invalid_request',
  'unauthorized',
  'headers_too_large',
  'internal',
  'shutting_down',
];

/** Release of the API that the document names. */
const apiVersion = '0.1.0';

/** The native API as an OpenAPI 3.1 document. */
export function buildOpenApi(): Json {
  const schemas: Json = { Error: errorSchema };
  const paths: Record<string, Json> = {};
  for (const operation of operations) {
    const item = paths[operation.path] ?? {};
    paths[operation.path] = { ...item, [operation.method]: describe(operation, schemas) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sandport',
      version: apiVersion,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description: 'Isolated sandboxes on one machine, and files in and out of them.',
    },
    security: [{ bearer: [] }, { header: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        header: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      },
      schemas,
    },
  };
}

const errorSchema: Json = {
  type: 'object',
  required: ['error', 'code'],
  properties: {
    error: { type: 'string', description: 'One sentence that names the thing.' },
    code: { type: 'string', enum: Object.keys(errorTable) },
  },
  additionalProperties: true,
};

function describe(operation: Operation, schemas: Json): Json {
  const parameters = [...pathParameters(operation.path), ...(operation.parameters ?? [])];
  return {
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    ...(operation.description === undefined ? {} : { description: operation.description }),
    ...(operation.open ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters: parameters.map(describeParameter) }),
    ...(operation.request === undefined
      ? {}
      : { requestBody: { required: true, content: content(operation.request, schemas, 'input') } }),
    responses: {
      [operation.status]: {
        description: operation.summary,
        ...(operation.response === undefined
          ? {}
          : { content: content(operation.response, schemas, 'output') }),
      },
      ...errorResponses(operation),
    },
  };
}

const pathParameters = (path: string): Parameter[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    description:
      name === 'id' && path.startsWith('/v1/sandboxes')
        ? 'Id or name of the sandbox.'
        : `The ${name}.`,
  }));

const describeParameter = (parameter: Parameter): Json => ({
  ...parameter,
  schema: parameter.schema ?? { type: 'string' },
});

function content(body: Body, schemas: Json, io: 'input' | 'output'): Json {
  switch (body.kind) {
    case 'bytes':
      return { 'application/octet-stream': {} };
    case 'events':
      return { 'text/event-stream': { schema: { type: 'string', description: body.description } } };
    case 'json':
    case 'lines': {
      const { $schema: _, ...schema } = z.toJSONSchema(body.schema, { io });
      schemas[body.name] = schema;
      const type = body.kind === 'json' ? 'application/json' : 'application/x-ndjson';
      return { [type]: { schema: { $ref: `#/components/schemas/${body.name}` } } };
    }
  }
}

/** Codes with one status share a response. */
function errorResponses(operation: Operation): Json {
  const codes = operation.open ? operation.errors : [...commonErrors, ...operation.errors];
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = errorTable[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const schema = { $ref: '#/components/schemas/Error' };
  return Object.fromEntries(
    [...byStatus].sort().map(([status, each]) => [
      status,
      {
        description: each.map((code) => `\`${code}\`: ${errorTable[code].meaning}`).join(' '),
        content: { 'application/json': { schema } },
      },
    ]),
  );
}
