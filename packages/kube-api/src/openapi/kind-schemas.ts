import type { ServedVersion } from '../discovery/api-groups.ts';
import type { Schema } from '../objects/resource.ts';
import { objectMetaSchema } from '../schema/object-meta-schema.ts';
import { wholeSchema } from '../schema/version-schema.ts';
import { metaNames, scaleName, schemaName } from './schema-names.ts';

/** Where the schemas of a document are: the versions of OpenAPI differ. */
export type SchemaPlace = '#/components/schemas/' | '#/definitions/';

type Schemas = Record<string, Schema>;

/** The schemas of all kinds of a version, with those that they refer to. */
export function kindSchemas({ group, version, kinds }: ServedVersion, place: SchemaPlace): Schemas {
  const schemas: Schemas = { ...commonSchemas };
  for (const { resource, version: served } of kinds) {
    const { kind } = resource;
    const name = schemaName(group, version, kind);
    schemas[name] = {
      ...withMetadata(wholeSchema(served.schema), place),
      'x-kubernetes-group-version-kind': [{ group, version, kind }],
    };
    schemas[`${name}List`] = listSchema(name, { group, version, kind: `${kind}List` }, place);
  }
  return schemas;
}

/** All objects have the same metadata: it is described once. */
function withMetadata(schema: Schema, place: SchemaPlace): Schema {
  return {
    ...schema,
    properties: {
      ...(schema['properties'] as Schema),
      metadata: {
        description: "Standard object's metadata.",
        allOf: [{ $ref: place + metaNames.objectMeta }],
      },
    },
  };
}

const listSchema = (name: string, kind: Schema, place: SchemaPlace): Schema => ({
  description: 'A list of objects.',
  type: 'object',
  required: ['items'],
  properties: {
    apiVersion: { type: 'string', description: 'The version of the schema that this list has.' },
    kind: { type: 'string', description: 'What this list is of.' },
    metadata: {
      description: "Standard list's metadata.",
      allOf: [{ $ref: place + metaNames.listMeta }],
    },
    items: { type: 'array', description: 'The objects.', items: { $ref: place + name } },
  },
  'x-kubernetes-group-version-kind': [kind],
});

const text: Schema = { type: 'string' };
const whole: Schema = { type: 'integer', format: 'int32' };
const open: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

const commonSchemas: Schemas = {
  [metaNames.objectMeta]: objectMetaSchema,
  [metaNames.listMeta]: {
    type: 'object',
    description: 'Metadata of a list.',
    properties: {
      resourceVersion: text,
      continue: text,
      remainingItemCount: { type: 'integer', format: 'int64' },
    },
  },
  [metaNames.status]: {
    type: 'object',
    description: 'What a request came to.',
    properties: {
      apiVersion: text,
      kind: text,
      status: text,
      message: text,
      reason: text,
      code: whole,
      details: open,
    },
  },
  [metaNames.patch]: { type: 'object', description: 'A change of an object, in one of its forms.' },
  [scaleName]: {
    type: 'object',
    description: 'How many of something there are, and should be.',
    properties: {
      apiVersion: text,
      kind: text,
      metadata: open,
      spec: { type: 'object', properties: { replicas: whole } },
      status: { type: 'object', properties: { replicas: whole, selector: text } },
    },
    'x-kubernetes-group-version-kind': [{ group: 'autoscaling', version: 'v1', kind: 'Scale' }],
  },
};
