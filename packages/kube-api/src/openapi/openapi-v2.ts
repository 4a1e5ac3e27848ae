import type { ApiGroup } from '../discovery/api-groups.ts';
import { isJsonObject } from '../objects/json.ts';
import { kindSchemas } from './kind-schemas.ts';
import { type Dialect, pathsOf } from './operations.ts';

const place = '#/definitions/';

const dialect: Dialect = {
  place,
  parameter: (name, where, type, description) => ({
    name,
    in: where,
    description,
    type,
    uniqueItems: true,
    ...(where === 'path' ? { required: true } : {}),
  }),
  exchange: (body, result) => ({
    parameters:
      body === undefined
        ? []
        : [{ name: 'body', in: 'body', required: true, schema: { $ref: place + body.schema } }],
    fields: {
      ...(body === undefined ? {} : { consumes: body.types }),
      produces: ['application/json'],
      responses: { 200: { description: 'OK', schema: { $ref: place + result } } },
    },
  }),
};

/** The one document of everything. */
export function openApiV2(groups: readonly ApiGroup[]): Readonly<Record<string, unknown>> {
  const versions = groups.flatMap((group) => group.versions);
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: 'unversioned' },
    paths: Object.assign({}, ...versions.map((served) => pathsOf(served, dialect))),
    definitions: inV2(Object.assign({}, ...versions.map((served) => kindSchemas(served, place)))),
  };
}

/** Keywords that version 2 does not have. */
const laterKeywords = new Set(['nullable', 'anyOf', 'oneOf', 'not']);

/** Schemas without what version 2 cannot say; what is left allows more, never less. */
function inV2(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inV2);
  if (!isJsonObject(value)) return value;
  const { allOf, ...rest } = value;
  // A description beside a reference is the only use of allOf.
  const [reference] = Array.isArray(allOf) ? allOf : [];
  return Object.fromEntries(
    Object.entries({ ...rest, ...(isJsonObject(reference) ? reference : {}) })
      .filter(([keyword, child]) => !laterKeywords.has(keyword) || isJsonObject(child))
      .map(([keyword, child]) => [keyword, inV2(child)]),
  );
}
