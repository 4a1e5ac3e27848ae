import type { ServedVersion } from '../discovery/api-groups.ts';
import { kindSchemas } from './kind-schemas.ts';
import { type Dialect, pathsOf } from './operations.ts';

const place = '#/components/schemas/';

const dialect: Dialect = {
  place,
  parameter: (name, where, type, description) => ({
    name,
    in: where,
    description,
    ...(where === 'path' ? { required: true } : {}),
    schema: { type, uniqueItems: true },
  }),
  exchange: (body, result) => {
    const schemaOf = (name: string) => ({ schema: { $ref: place + name } });
    return {
      parameters: [],
      fields: {
        ...(body === undefined
          ? {}
          : {
              requestBody: {
                required: true,
                content: Object.fromEntries(
                  body.types.map((type) => [type, schemaOf(body.schema)]),
                ),
              },
            }),
        responses: {
          200: { description: 'OK', content: { 'application/json': schemaOf(result) } },
        },
      },
    };
  },
};

/** The document of one version of a group. */
export const openApiV3 = (served: ServedVersion): Readonly<Record<string, unknown>> => ({
  openapi: '3.0.0',
  info: { title: 'Kubernetes', version: 'unversioned' },
  paths: pathsOf(served, dialect),
  components: { schemas: kindSchemas(served, place) },
});
